# `make run` starts a rehearsal, `make demo` a call with a recorded trainee, `make test` passes the tests.
# Each makes what it needs on a fresh machine; the second time it starts in seconds.

PYTHON ?= python3
PY := .venv/bin/python
PIP := $(PY) -m pip --disable-pip-version-check

SOUND_PACKAGES := libportaudio2 espeak-ng
TEST_PACKAGES := $(SOUND_PACKAGES) pulseaudio pulseaudio-utils libasound2-plugins chromium

.PHONY: run demo test check unit lock bench clean help

run: .make/run  ## start a rehearsal: live where there is a microphone, else with the recorded trainee
	@$(PY) -m voicecoach rehearse --auto

demo: .make/run  ## a whole call with the recorded trainee; needs no sound device
	@$(PY) -m voicecoach rehearse --demo

test: .make/dev  ## style, types, walls and all tests
	@$(MAKE) --no-print-directory check unit

check: .make/dev  ## style, types and walls alone
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports

unit: .make/dev  ## the tests, those that need the machine to themselves last; ARGS="-k name" chooses
	$(PY) -m pytest -n 2 --dist worksteal -m "not e2e and not browser" $(ARGS) || test $$? -eq 5
	$(PY) -m pytest -n 2 --dist worksteal -m "browser and not e2e" $(ARGS) || test $$? -eq 5
	$(PY) -m pytest -m e2e $(ARGS) || test $$? -eq 5  # 5: none of the chosen ones is of this kind

bench: .make/dev  ## latency and throughput on this machine
	$(PY) benchmarks/loop.py

lock: .make/dev  ## resolve the pinned dependencies again
	$(PIP) install -q uv
	tools/lock.sh

clean:  ## remove the environment (sessions are kept: see `voicecoach doctor` for their folder)
	rm -rf .venv .make

help:
	@grep -hE '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/'

.make/venv:
	@mkdir -p .make
	@tools/system-packages.sh --quiet-if-done $(SOUND_PACKAGES)
	@$(PYTHON) -m venv .venv >/dev/null 2>&1 || { \
	  tools/system-packages.sh python3-venv && rm -rf .venv && $(PYTHON) -m venv .venv; }
	@touch $@

.make/run: .make/venv requirements.lock pyproject.toml
	@echo "Setting up voicecoach (once: about 320 MB to download, about a minute)..."
	$(PIP) install --progress-bar on --require-hashes -r requirements.lock
	@$(PIP) install -q --no-deps --no-build-isolation -e .
	@touch $@

.make/dev: .make/run requirements-dev.lock
	@tools/system-packages.sh --quiet-if-done $(TEST_PACKAGES)
	$(PIP) install -q --require-hashes -r requirements-dev.lock
	@touch $@
