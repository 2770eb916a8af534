"""The commands that the bench calls."""

import json
import time
from base64 import b64decode, b64encode


def add(a: int, b: int) -> int:
    return a + b


def slow(seconds: float) -> None:
    time.sleep(seconds)


def count_up(limit: int):
    yield from range(limit)


def echo(data: bytes) -> bytes:
    return data


def echo_base64(text: str) -> str:
    """What a user does who has no bytes on the wire: JSON text with base64 in it, both ways."""
    data = b64decode(json.loads(text)["data"])
    return json.dumps({"data": b64encode(data).decode()})
