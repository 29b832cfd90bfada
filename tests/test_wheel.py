"""The wheel: everything that a trainee needs is inside, and it runs without the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as it would be published."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return next(out.glob("*.whl"))


def test_the_wheel_holds_customers_voices_and_rules(wheel: Path) -> None:
    """Personas, procedures, cues, the recorded trainee and every spoken line; no tests, no tools."""
    names = set(zipfile.ZipFile(wheel).namelist())
    lines = {name for name in names if name.endswith(".opus")}
    page = {f"voicecoach/web/static/{path.name}" for path in (ROOT / "voicecoach" / "web" / "static").iterdir()}

    assert "voicecoach/_bundled/personas/dana-printer.yaml" in names
    assert "voicecoach/_bundled/assets/procedures/six-guidelines.yaml" in names
    assert "voicecoach/_bundled/assets/trainees/demo.yaml" in names
    assert page
    assert page <= names
    assert len(lines) == len(list((ROOT / "assets" / "spoken").glob("*.opus")))
    assert not [name for name in names if name.startswith(("tests/", "tools/", "benchmarks/"))]
    assert wheel.stat().st_size < 40e6


def test_the_wheel_runs_by_itself(wheel: Path, tmp_path: Path) -> None:
    """Unpacked somewhere else, the package finds its own customers and judges a sentence."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}

    def run(*words: str) -> str:
        command = [sys.executable, *words]
        return subprocess.run(command, env=env, cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    where = run("-c", "import voicecoach; print(voicecoach.__file__)")
    assert str(tmp_path) in where
    assert "dana-printer" in run("-m", "voicecoach", "personas")
    assert '"apologise"' in run("-m", "voicecoach", "judge", "--text", "I am so sorry about that.")
