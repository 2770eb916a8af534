"""Sees to it that a signal is noticed while the main thread sleeps."""

import os
import signal
import socket


class SignalBell:
    """Has `on_signal()` called on the event loop's thread after each signal.

    Python runs its handlers on the main thread, when that runs. One that comes just before the thread goes to sleep on a lock, or that the
    system gives to another thread, would wait until the next call; the interpreter writes to a descriptor at once.
    """

    def __init__(self, loop, on_signal):
        self._inner, self._outer = socket.socketpair()
        self._on_signal = on_signal
        for end in (self._inner, self._outer):
            end.setblocking(False)
        signal.set_wakeup_fd(self._outer.fileno(), warn_on_full_buffer=False)
        os.register_at_fork(after_in_child=self.remove)
        loop.call_soon_threadsafe(loop.add_reader, self._inner, self._ring)

    def _ring(self):
        self._inner.recv(4096)
        self._on_signal()

    @staticmethod
    def remove():
        """Leave signals alone again: nobody reads any more, or this is a forked child. On the main thread."""
        signal.set_wakeup_fd(-1)
