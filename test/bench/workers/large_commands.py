"""Commands that take large binary and give as much back: as bytes, as docs/workers.md advises, and as base64 in JSON."""

import json
from base64 import b64decode, b64encode

import numpy


def echo(data: bytes) -> bytes:
    return data


def echo_view(data: memoryview) -> memoryview:
    return data


def add_one(data: memoryview, ctx):
    """Makes a new value of the same size, where the host can read it."""
    result = numpy.frombuffer(ctx.allocate(len(data)), dtype=numpy.uint8)
    return numpy.add(numpy.frombuffer(data, dtype=numpy.uint8), 1, out=result)


def echo_base64(text: str) -> str:
    """What a user does who has no bytes on the wire: JSON text with base64 in it, both ways."""
    return _to_text(_from_text(text))


def add_one_base64(text: str) -> str:
    return _to_text(numpy.frombuffer(_from_text(text), dtype=numpy.uint8) + numpy.uint8(1))


def _from_text(text):
    return b64decode(json.loads(text)["data"])


def _to_text(data):
    return json.dumps({"data": b64encode(data).decode()})
