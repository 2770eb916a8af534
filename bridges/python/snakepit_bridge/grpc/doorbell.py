"""Brings news from other threads to the gRPC thread."""

from collections import deque


class Doorbell:
    """Has `wake()` of things called on the event loop's thread, soon after they were rung for.

    Waking an event loop costs a system call. Whoever rings while it has yet to answer pays nothing, so that a row of short
    commands costs one for all, and no answer waits for another command.
    """

    def __init__(self, loop):
        self._loop = loop
        self._rung_for = deque()
        self._is_ringing = False

    def ring(self, thing):
        """Let `thing.wake()` be called soon. From any thread."""
        self._rung_for.append(thing)
        if not self._is_ringing:
            self._is_ringing = True
            try:
                self._loop.call_soon_threadsafe(self._answer)
            except RuntimeError:
                pass  # the event loop is closed: the worker ends

    def _answer(self):
        self._is_ringing = False  # before the first is taken, so that none is forgotten
        rung_for = self._rung_for
        while rung_for:
            rung_for.popleft().wake()
