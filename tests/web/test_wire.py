"""Frames: what is packed is what comes out, and what is not a frame is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.site import pack, unpack_chunk
from voicecoach.web import wire

samples = st.lists(st.integers(-32768, 32767), min_size=1, max_size=64).map(lambda found: np.array(found, np.int16))


@given(samples, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 65535), st.booleans(), st.data())
def test_a_frame_comes_out_as_it_went_in(
    mic: np.ndarray, first: int, done: int, dry: int, deaf: bool, data: st.DataObject
) -> None:
    end = data.draw(st.integers(0, len(mic)))
    out = np.zeros_like(mic)
    out[:end] = data.draw(st.integers(-32768, 32767))
    frame = wire.Frame(first, done, (0, end), dry, mic, out, deaf)

    found = wire.unpack(pack(frame))

    assert (found.first, found.done, found.spoken, found.dry, found.deaf) == (first, done, (0, end), dry, deaf)
    assert np.array_equal(found.mic, mic)
    assert np.array_equal(found.out, out)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_frame_are_refused_or_are_one(data: bytes) -> None:
    """Whatever arrives is a frame of the length that it says, or a ValueError."""
    try:
        found = wire.unpack(data)
    except ValueError:
        return

    assert 0 < len(found.mic) == len(found.out) <= wire.MAX_FRAME
    assert 0 <= found.spoken[0] <= found.spoken[1] <= len(found.mic)


def test_a_frame_that_says_too_much_is_refused() -> None:
    whole = pack(wire.Frame(0, 0, (0, 0), 0, np.ones(10, np.int16), np.zeros(10, np.int16)))

    for wrong in (b"", whole[:-1], whole[:-2], whole + b"\0", whole + b"\0\0", whole[:8] + b"\xff\xff" + whole[10:]):
        with pytest.raises(ValueError, match="frame"):
            wire.unpack(wrong)


@given(st.integers(0, 2**31), st.integers(1, 3 * wire.CHUNK))
def test_a_line_is_cut_into_messages_that_join_up(first: int, n: int) -> None:
    line = (np.arange(n) % 30000).astype(np.int16)
    found = [unpack_chunk(message) for message in wire.chunks(first, line)]

    assert np.array_equal(np.concatenate([piece for _, piece in found]), line)
    assert [at for at, _ in found] == list(range(first, first + n, wire.CHUNK))
