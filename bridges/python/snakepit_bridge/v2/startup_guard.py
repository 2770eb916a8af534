"""Ends the worker if its host goes away while the user's module is still loading."""

import select
import threading

from ..process import end_with_host

_TICK_SECONDS = 0.1


class StartupGuard:
    """A context manager; within it, a thread watches for the end of the connection without reading from it.

    `end` is called then, in that thread. The thread is over when the block is left.
    """

    def __init__(self, descriptor, end=end_with_host):
        self._end = end
        self._thread = threading.Thread(target=self._run, name="snakepit-startup-guard", daemon=True)
        self._poll = select.poll()
        self._poll.register(descriptor, getattr(select, "POLLRDHUP", 0))
        self._done = threading.Event()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._done.set()
        self._thread.join()

    def _run(self):
        while not self._done.wait(_TICK_SECONDS):
            if self._poll.poll(0):
                self._end()
