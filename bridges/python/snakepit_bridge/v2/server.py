"""Serves protocol v2 from the hello to the end of the process."""

import os
import socket

from ..codec import create_codec
from ..codec.binary import BinaryForm
from ..errors import HostGone, ProtocolError, error_map
from ..hooks import SHUTDOWN, START
from ..log import forward_logging
from ..process import (
    complain,
    die_with_host,
    end_by_protocol_error,
    end_with_host,
    exit_status,
    ignore_termination,
    is_terminated,
)
from .arena import Arena
from .hello import answer_hello, failed_hello, read_hello
from .loop import Connection, WorkerLoop
from .reader import FrameReader
from .startup_guard import StartupGuard
from .writer import FrameWriter

_EXIT_SECONDS = 1.0


def serve_v2(descriptor, load_manifest, on_ready=None):
    """Serve the commands of `load_manifest()` on a socket's descriptor; returns when the host asks for the end.

    Raises SystemExit if the worker cannot start. If the host goes away or breaks the protocol, the process
    ends here.
    """
    os.set_inheritable(descriptor, False)
    sock = socket.socket(fileno=descriptor)
    sock.setblocking(True)
    writer = FrameWriter(sock)
    os.register_at_fork(after_in_child=lambda: _leave_to_parent(sock, writer))
    reader = FrameReader(sock, 0)
    try:
        loop, manifest = _start(sock, reader, writer, load_manifest)
        die_with_host()
        if on_ready is not None:
            on_ready(loop.stop)
        _serve_until_end(loop, manifest)
    except HostGone:
        end_with_host()
    except ProtocolError as error:
        end_by_protocol_error(error)
    finally:
        writer.flush_at_exit(_EXIT_SECONDS)


def _start(sock, reader, writer, load_manifest):
    hello = read_hello(reader)
    try:
        with StartupGuard(sock.fileno()):
            arena = Arena.accept(hello.arena) if hello.takes_typed_arrays else None
            binary = BinaryForm(arena, hello.max_frame_bytes) if hello.takes_typed_arrays else None
            codec = create_codec(hello.choose_codec(), hello.max_depth, binary)
            manifest = load_manifest()
            loop = WorkerLoop(Connection(sock, reader, writer, codec, arena), manifest, hello)
            forward_logging(loop.runtime)
            loop.start()
            for hook in manifest.hooks(START):
                loop.runtime.run_hook(hook)
    except BaseException as error:
        if isinstance(error, SystemExit) and is_terminated():
            raise
        writer.open(failed_hello(error_map(error)))
        complain("the worker cannot start: %s: %s" % (type(error).__name__, error))
        raise SystemExit(exit_status(error)) from None
    writer.open(answer_hello(codec.name, manifest, arena is not None, hello.concurrency))
    return loop, manifest


def _serve_until_end(loop, manifest):
    pid = os.getpid()
    try:
        loop.serve()
    finally:
        if os.getpid() == pid:  # a child that a command has forked, and that it lets end by `sys.exit`, passes by here
            ignore_termination()
            loop.wind_down()
            for hook in manifest.hooks(SHUTDOWN):
                _run_last(loop, hook)
            loop.end()


def _run_last(loop, hook):
    try:
        loop.runtime.run_hook(hook)
    except Exception as error:
        complain("on_shutdown failed: %s: %s" % (type(error).__name__, error))


def _leave_to_parent(sock, writer):
    """In a forked child: the connection is the parent's alone."""
    writer.close()
    sock.close()
