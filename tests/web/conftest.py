"""A server for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.site import FakeKit, Site, serving
from voicecoach.web.calls import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "data", FakeKit(), limit=2, customers=("dana-printer",))


@pytest.fixture
def site(house: House) -> Iterator[Site]:
    with serving(house) as found:
        yield found
