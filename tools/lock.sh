#!/bin/sh
# Resolve the pinned dependencies again, with hashes and without naming an index.
set -e
cd "$(dirname "$0")/.."
compile() { .venv/bin/uv pip compile -q pyproject.toml --universal --generate-hashes --python-version 3.11 --no-header --no-annotate --no-emit-index-url "$@"; }
compile --upgrade --group build --extra web -o requirements.lock
compile --group dev --extra piper --extra echo --extra web -c requirements.lock -o requirements-dev.lock
sed -i '1i # Pinned dependencies with hashes, for `make run`. Remade by `make lock`.' requirements.lock
sed -i '1i # Pinned dependencies with hashes, for `make test` and development. Remade by `make lock`.' requirements-dev.lock
