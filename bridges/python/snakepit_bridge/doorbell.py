"""Brings news from other threads to an event loop."""

from collections import deque


class Doorbell:
    """Has `on_ring(thing)` called on the event loop's thread, once for each time that a thing was rung for.

    What is rung for in answer to a ring has to wait for its turn, so that the loop gets to its other work.

    Waking an event loop costs a system call. Whoever rings while it has yet to answer pays nothing, so that a row of short
    commands costs one for all, and nothing waits for the end of the row.
    """

    def __init__(self, loop, on_ring):
        self._loop = loop
        self._on_ring = on_ring
        self._rung_for = deque()
        self._is_ringing = False

    def ring(self, thing):
        """Let `on_ring(thing)` be called soon. From any thread."""
        self._rung_for.append(thing)
        if not self._is_ringing:
            self._is_ringing = True
            try:
                self._loop.call_soon_threadsafe(self.answer)
            except RuntimeError:
                pass  # the event loop is closed: the worker ends

    def answer(self):
        """Call for what was rung for, at once. On the event loop's thread; also where a signal has cut a ringing thread short."""
        self._is_ringing = False  # before the first is taken, so that none is forgotten
        rung_for, on_ring = self._rung_for, self._on_ring
        for _ in range(len(rung_for)):
            on_ring(rung_for.popleft())
        if rung_for and not self._is_ringing:
            self._is_ringing = True
            self._loop.call_soon(self.answer)
