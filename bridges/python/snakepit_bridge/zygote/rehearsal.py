"""What every worker does, done once before the first fork.

Code that runs for the first time writes to the memory it lies in: the interpreter specializes it, fills caches of types and
attributes, and makes shared tables of names. After a fork each worker would have to copy those pages for itself.
"""

import json
import socket

from ..codec import NAMES, create_codec, has_msgpack
from ..codec.binary import BinaryForm
from ..command import Command
from ..manifest import Manifest
from ..process import complain
from ..v2.frame import CALL, FLAG_DEADLINE, HELLO, SHUTDOWN, pack_frame
from ..v2.hello import answer_hello, read_hello
from ..v2.loop import Connection, WorkerLoop
from ..v2.reader import FrameReader
from ..v2.writer import FrameWriter

# Enough for the calls to be known as short ones and for the interpreter to know the code as often used.
_BATCHES = 20
_BATCH_CALLS = 16


def rehearse():
    """Serve some calls of a command of our own to ourselves, by each codec that is there; starts no thread.

    It comes after the modules are imported, since what they bring clears such caches. Where it fails nothing is lost but
    memory: whatever is the matter, workers will tell.
    """
    try:
        for codec in NAMES:
            if codec != "msgpack" or has_msgpack():
                _serve_ourselves(codec)
    except Exception as error:
        complain("workers will take more memory, as the rehearsal failed: %s: %s" % (type(error).__name__, error))


def _serve_ourselves(codec_name):
    host, worker = socket.socketpair()
    with host, worker:
        hello = {"codecs": [codec_name], "typedArrays": True}
        host.sendall(pack_frame(HELLO, 0, body=json.dumps(hello).encode("ascii")))
        reader, writer = FrameReader(worker, 0), FrameWriter(worker)
        hello = read_hello(reader)
        codec = create_codec(hello.choose_codec(), hello.max_depth, BinaryForm(None, hello.max_frame_bytes))
        manifest = Manifest([Command("echo", _echo)], {})
        loop = WorkerLoop(Connection(worker, reader, writer, codec, None), manifest, hello)
        writer.open(answer_hello(codec.name, manifest, has_arena=False))
        calls = _calls(codec)
        for _ in range(_BATCHES):
            host.sendall(calls)
        host.sendall(pack_frame(SHUTDOWN, 0))
        loop.serve()
        loop.wind_down()


def _calls(codec):
    """Frames of a batch of calls, which together with all answers fit in a socket's buffer."""
    body = bytes(4) + codec.encode({"value": 1})[1]
    return b"".join(pack_frame(CALL, 1 + index, FLAG_DEADLINE, 0, body) for index in range(_BATCH_CALLS))


def _echo(value=None):
    return value
