"""A small host for tests: starts a real worker over a real socket pair and speaks frames with it."""

import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import textwrap
import time
from contextlib import contextmanager

from snakepit_bridge.codec import create_codec
from snakepit_bridge.v2 import frame as f

from . import EXTRA_FOLDER, PACKAGE_FOLDER
from .guard import guard

TIMEOUT_SECONDS = 20


def write_module(test, source, name="handlers.py"):
    """Write a user's module to a folder that lives as long as the test; returns its path."""
    folder = tempfile.TemporaryDirectory()
    test.addCleanup(folder.cleanup)
    path = os.path.join(os.path.realpath(folder.name), name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(textwrap.dedent(source))
    return path


def worker_environment(**extra):
    folders = [PACKAGE_FOLDER] + ([EXTRA_FOLDER] if EXTRA_FOLDER else [])
    return {**os.environ, **guard().mark, "PYTHONPATH": os.pathsep.join(folders), **extra}


class Frame:
    """A frame that the worker sent."""

    def __init__(self, kind, flags, aux, number, body):
        self.kind, self.flags, self.aux, self.id, self.body = kind, flags, aux, number, body

    def __repr__(self):
        return "Frame(0x%02x, id=%d, body=%r)" % (self.kind, self.id, self.body)


class Host:
    """One worker and the host's end of its connection."""

    _collected = None

    def __init__(self, test, module, codec="json", *, command_line=None, says_hello=True, **hello):
        host_end, worker_end = socket.socketpair()
        descriptor = worker_end.fileno()
        self.process = guard().spawn(
            command_line or [sys.executable, "-m", "snakepit_bridge.worker", "--module", module],
            pass_fds=[descriptor],
            env=worker_environment(SNAKEPIT_PROTOCOL="v2", SNAKEPIT_FD=str(descriptor)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        worker_end.close()
        host_end.settimeout(TIMEOUT_SECONDS)
        self.socket = host_end
        self.codec = create_codec(codec, 64)
        self._input = host_end.makefile("rb")
        test.addCleanup(self.close)
        if says_hello:
            self.say_hello(codecs=[codec], **hello)
            self.hello = self.read_hello()
            self.index = {each["name"]: at for at, each in enumerate(self.hello.get("commands", ()))}

    def say_hello(self, **members):
        hello = {"protocol": [2], "maxFrameBytes": 1 << 20, "maxDepth": 64, "streamCredit": 4, **members}
        self.send(f.HELLO, body=json.dumps(hello).encode())

    def read_hello(self):
        return json.loads(self.receive_raw()[4])

    def send(self, kind, number=0, flags=0, aux=0, body=b""):
        frame = f.pack_frame(kind, number, flags, aux, body)
        if self._collected is None:
            self.socket.sendall(frame)
        else:
            self._collected += frame

    @contextmanager
    def one_write(self):
        """Frames sent within the block leave together, so that the worker reads them at once."""
        self._collected = bytearray()
        yield
        frames, self._collected = self._collected, None
        self.socket.sendall(frames)

    def call(self, number, name, arguments=None, *, stream=False, meta=None, deadline_ms=None):
        value = arguments if meta is None else [meta, arguments]
        flags, body = self.codec.encode(value)
        flags |= (f.FLAG_STREAM if stream else 0) | (f.FLAG_META if meta is not None else 0)
        if deadline_ms is not None:
            flags |= f.FLAG_DEADLINE
            body = struct.pack(">I", deadline_ms) + body
        self.send(f.CALL, number, flags, self.index.get(name, f.NAMED_COMMAND), body)

    def cancel(self, number):
        self.send(f.CANCEL, number, aux=1)

    def credit(self, number, chunks):
        self.send(f.CREDIT, number, aux=chunks)

    def answer(self, host_call, value):
        flags, body = self.codec.encode(value)
        self.send(f.HOST_RESULT, host_call.id, flags, body=body)

    def refuse(self, host_call, code, message):
        flags, body = self.codec.encode({"code": code, "message": message})
        self.send(f.HOST_ERROR, host_call.id, flags, body=body)

    def receive_raw(self):
        header = self._input.read(f.HEADER_BYTES)
        if len(header) < f.HEADER_BYTES:
            raise EOFError("the worker closed the connection")
        length, kind, flags, aux, number = f.HEADER.unpack(header)
        return kind, flags, aux, number, self._input.read(length)

    def receive(self):
        kind, flags, aux, number, body = self.receive_raw()
        return Frame(kind, flags, aux, number, self.codec.decode(body, flags))

    def receive_kind(self, kind, number=None):
        """The next frame of one kind; others before it are passed over."""
        while True:
            frame = self.receive()
            if frame.kind == kind and number in (None, frame.id):
                return frame

    def result(self, number, name, arguments=None, **options):
        """Call and return the result; the worker may send nothing else meanwhile."""
        self.call(number, name, arguments, **options)
        frame = self.receive()
        if frame.kind != f.RESULT or frame.id != number:
            raise AssertionError("expected the result of %d, got %r" % (number, frame))
        return frame.body

    def error(self, number, name, arguments=None, **options):
        """Call and return the error map."""
        self.call(number, name, arguments, **options)
        return self.receive_kind(f.ERROR, number).body

    def wait(self):
        """Wait for the worker's end; returns its exit status."""
        return self.process.wait(TIMEOUT_SECONDS)

    def output(self):
        """What the worker has printed, as `(stdout, stderr)`, after its end."""
        out, err = self.process.communicate(timeout=TIMEOUT_SECONDS)
        return out.decode(), err.decode()

    def close(self):
        guard().end(self.process)
        for stream in (self._input, self.socket, self.process.stdout, self.process.stderr):
            stream.close()


def has_ended(pid):
    """Wait for a process that was killed to be gone or a zombie, which takes no more than a moment; False if it lives on."""
    for _ in range(2000):
        try:
            with open("/proc/%d/stat" % pid) as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.001)
    return False
