"""The page's own files: words in one place, nothing inline, nothing from elsewhere, and light."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from tests.web.site import Site

STATIC = Path(__file__).parents[2] / "voicecoach" / "web" / "static"
SCRIPTS = sorted(STATIC.glob("*.js"))
MOST_BYTES = 300_000


def test_the_page_is_light(site: Site) -> None:
    """All of it, with the data of the first place, is under 300 kB as it goes over the wire."""
    seat = site.seat()
    weight = sum(len(site.ask(f"/static/{path.name}", headers=seat)[2]) for path in STATIC.iterdir())

    assert weight + sum(len(site.ask(path, headers=seat)[2]) for path in ("/", "/api/choices")) < MOST_BYTES


def test_what_is_packed_for_the_way_is_the_same_each_time(site: Site) -> None:
    """Asked for twice: nothing of the first answer is left in the second."""
    seat = site.seat() | {"Accept-Encoding": "gzip"}
    for path in STATIC.iterdir():
        for _ in range(2):
            _, headers, body = site.ask(f"/static/{path.name}", headers=seat)
            packed = headers.get("content-encoding") == "gzip"

            assert packed or len(body) < 500, path.name
            assert (gzip.decompress(body) if packed else body) == path.read_bytes(), path.name


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    html = (STATIC / "index.html").read_text("utf-8")

    assert re.findall(r"<script(?![^>]*src=\"/static/)", html) == []
    assert "<style" not in html
    assert re.findall(r"\s(?:style|on\w+)=", html) == []
    for path in STATIC.iterdir():
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "").replace("http://127.0.0.1", "")
        assert not re.search(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", text), path.name
        assert "innerHTML" not in text, path.name


@pytest.mark.parametrize("path", [path for path in SCRIPTS if path.name != "strings.js"], ids=lambda path: path.name)
def test_words_for_people_are_in_one_place(path: Path) -> None:
    """No sentence stands in another module: two words with a space between them in a string are somebody's text."""
    code = re.sub(r"//.*|/\*.*?\*/", "", path.read_text("utf-8"))
    strings = re.findall(r'"([^"\\\n]*)"', code)
    sentences = [text for text in strings if re.search(r"[A-Z][a-z]+ [a-z]+|[a-z]+ [a-z]+\.", text)]

    assert sentences == []
