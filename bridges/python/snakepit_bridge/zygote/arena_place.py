"""The descriptor at which a worker's arena is found."""

import os


class ArenaPlace:
    """Keeps the descriptor's number from being taken by what modules open, so that a forked worker can put its arena there."""

    def __init__(self, descriptor):
        self._descriptor = descriptor
        self._put(os.open(os.devnull, os.O_RDWR))

    def open(self, path):
        """In a forked child: open what a spawned worker inherits; where that cannot be, the arena will be declined."""
        try:
            if path is not None:
                return self._put(os.open(path, os.O_RDWR))
        except OSError:
            pass  # the system does not let this process see the host's files, which are no matter of life and death
        os.close(self._descriptor)

    def _put(self, source):
        if source != self._descriptor:
            os.dup2(source, self._descriptor, inheritable=False)
            os.close(source)
