"""The two hellos that open a connection."""

import json
import os
import sys
from time import monotonic

from ..codec import select_codec
from ..errors import ProtocolError, StartupError
from ..process import stack_signal
from ..version import __version__
from .frame import HELLO, pack_frame

_MAX_HELLO_BYTES = 1024 * 1024


class HostHello:
    """What the host said of itself; `is_understood` is false where no protocol version is in common."""

    def __init__(self, members):
        self.protocols = _list(members, "protocol", [2])
        self.codecs = _list(members, "codecs", ["json"])
        self.max_frame_bytes = _count(members, "maxFrameBytes", 64 * 1024 * 1024)
        self.max_depth = _count(members, "maxDepth", 64)
        self.stream_credit = _count(members, "streamCredit", 64)
        self.concurrency = _count(members, "concurrency", 1)
        self.takes_typed_arrays = members.get("typedArrays") is True
        self.arena = members.get("arena")

    def choose_codec(self):
        """The codec's name that both sides have. Raises StartupError."""
        if 2 not in self.protocols:
            raise StartupError("the host speaks protocol %s, this worker 2" % self.protocols)
        return select_codec(self.codecs)


def read_hello(reader):
    """Wait for the host's hello. Raises ProtocolError and HostGone."""
    reader.max_frame_bytes = _MAX_HELLO_BYTES
    frames = []
    while not frames:
        reader.receive(is_blocking=True)
        reader.parse(_refuse_call, lambda kind, *rest: frames.append((kind, rest[3])), monotonic())
    kind, body = frames[0]
    if kind != HELLO or len(frames) > 1:
        raise ProtocolError("the host must begin with HELLO alone, not with kind 0x%02x" % frames[-1][0])
    try:
        hello = HostHello(json.loads(bytes(body)))
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise ProtocolError("malformed HELLO from the host: %s" % error) from None
    reader.max_frame_bytes = hello.max_frame_bytes
    return hello


def answer_hello(codec_name, manifest, has_arena, concurrency=1):
    """The frame that makes the worker ready."""
    signal_name = stack_signal()
    return _hello_frame(
        {
            "protocol": 2,
            "codec": codec_name,
            "language": "python",
            "runtime": describe_runtime(),
            "sdk": {"name": "snakepit_bridge", "version": __version__},
            "pid": os.getpid(),
            "typedArrays": True,
            "arena": has_arena,
            "batches": True,
            **({"stackSignal": signal_name} if signal_name else {}),
            "commands": manifest.describe(tells_concurrency=concurrency > 1),
        }
    )


def failed_hello(error):
    """The frame of a worker that cannot start; `error` is an error map."""
    return _hello_frame({"error": error})


def describe_runtime():
    """Name and version of the interpreter, as the module `platform` says them, which is slow to import."""
    name = {"cpython": "CPython", "pypy": "PyPy"}.get(sys.implementation.name, sys.implementation.name)
    return {"name": name, "version": sys.version.split()[0]}


def _hello_frame(members):
    return pack_frame(HELLO, 0, body=json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode("utf-8"))


def _list(members, name, default):
    value = members.get(name, default)
    if type(value) is not list:
        raise ValueError("%s is no list" % name)
    return value


def _count(members, name, default):
    value = members.get(name, default)
    if type(value) is not int or value < 1:
        raise ValueError("%s is %r" % (name, value))
    return value


def _refuse_call(call):
    raise ProtocolError("the host sent CALL before HELLO")
