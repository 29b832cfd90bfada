"""One request to a server that the user has named, for speech or for words: no redirect, and limits on time and size."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit


def is_address(url: str) -> bool:
    """Whether `url` is an http(s) address with a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def post(url: str, body: dict[str, Any], key: str, timeout_s: float, max_bytes: int) -> bytes:
    """The answer to `body` as JSON, sent to `url` with `key` as bearer token where there is one.

    Redirects are refused: what is said goes to the server that was named, and to no other. Raises OSError where nothing
    useful comes: no server, a status that is none of success, too much, too late.
    """
    import httpx2

    headers = {"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {key}"} if key else {})
    until = time.monotonic() + timeout_s
    data = bytearray()
    try:
        with (
            httpx2.Client(timeout=timeout_s) as client,
            client.stream("POST", url, json=body, headers=headers) as answer,
        ):
            answer.raise_for_status()  # a redirect is none of success
            for piece in answer.iter_raw():  # as it comes: unpacking could make much out of little
                data += piece
                if len(data) > max_bytes or time.monotonic() > until:
                    raise OSError("too much or too late")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise OSError(str(error) or type(error).__name__) from error
    return bytes(data)
