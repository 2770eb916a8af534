"""Writes frames to the socket."""

import threading

from ..codec.split_body import SplitBody
from ..errors import HostGone
from .frame import HEADER

_LARGE_BYTES = 64 * 1024


class FrameWriter:
    """Collects frames of any thread and sends them in the order in which they were added.

    `out` is open to every thread: adding one whole frame to a bytearray is a single step under the interpreter's lock,
    so that the hot path needs no lock of its own. Only sending takes one.
    """

    def __init__(self, sock):
        self.out = bytearray()
        self._is_ready = False
        self._is_closed = False
        self._socket = sock
        self._lock = threading.RLock()  # a finalizer that logs may run while this thread sends
        self._is_sending = False

    def open(self, hello):
        """Send the hello, and after it what was added before. Raises HostGone."""
        self.out[:0] = hello
        self._is_ready = True
        self.flush()

    def add(self, kind, call_id, flags=0, aux=0, body=b""):
        """Add a frame, to be sent by the next flush; a large one is sent at once. Raises HostGone."""
        if len(body) < _LARGE_BYTES or not self._is_ready:
            self.out += HEADER.pack(len(body), kind, flags, aux, call_id) + bytes(body)
            return
        header = HEADER.pack(len(body), kind, flags, aux, call_id)
        with self._lock:
            if self._is_sending:
                self.out += header + bytes(body)
                return
            self._send_collected()
            self._is_sending = True
            try:
                self._send_in_a_row((header, body.head, body.tail) if type(body) is SplitBody else (header, body))
            finally:
                self._is_sending = False

    def flush(self):
        """Send what was added. Raises HostGone."""
        if self.out and self._is_ready:
            with self._lock:
                self._send_collected()

    def flush_at_exit(self, timeout_seconds):
        """Send what was added, unless another thread is stuck in sending."""
        if self._lock.acquire(timeout=timeout_seconds):
            try:
                self._send_collected()
            except HostGone:
                pass
            finally:
                self._lock.release()

    def close(self):
        """Drop whatever is still added from now on."""
        self._is_closed = True

    def _send_collected(self):
        """To be called with the lock. What a finalizer adds meanwhile is sent by whoever flushes next."""
        out = self.out
        count = len(out)
        if count and not self._is_sending:
            self._is_sending = True
            try:
                data = out[:count]
                del out[:count]
                self._send(data)
            finally:
                self._is_sending = False

    def _send(self, data):
        self._attempt(self._socket.sendall, data)

    def _send_in_a_row(self, parts):
        """Send parts in one system call, so that the host is not woken up for a header alone."""
        sent = self._attempt(self._socket.sendmsg, parts)
        for part in parts if sent is not None else ():
            if sent < len(part):
                self._send(memoryview(part)[sent:])
            sent = max(0, sent - len(part))

    def _attempt(self, send, data):
        if self._is_closed:
            return None
        try:
            return send(data)
        except OSError:
            self._is_closed = True
            raise HostGone from None
        except BaseException:
            self._is_closed = True  # interrupted within a frame: nothing sensible can follow
            raise
