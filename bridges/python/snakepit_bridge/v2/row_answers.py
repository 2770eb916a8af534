"""The answers of a row of calls, whose headers are made together."""

import struct
import threading
from itertools import chain, repeat

from .frame import RESULT

_HEADER = struct.Struct(">I2sHI")
_RESULT_WITHOUT_FLAGS = bytes((RESULT, 0))


class RowAnswers:
    """Bodies in the order of the calls' ids, not yet frames.

    The main thread appends to `bodies`. Should a command keep it from sending them, the watchdog does: what either of them sends,
    the other does not.
    """

    def __init__(self, writer):
        self.bodies = []
        self._ids = ()
        self._sent = 0
        self._usual_us = 0
        self._out = writer.out
        self._lock = threading.Lock()

    def begin(self, ids, usual_us):
        """Begin a row; returns the empty list of its bodies. `usual_us` is how many microseconds such a call takes."""
        with self._lock:
            self._ids, self._usual_us, self._sent = ids, usual_us, 0
            self.bodies = bodies = []
        return bodies

    def add_frames(self, each_us=None, last_us=None):
        """Add what is answered so far to what will be sent.

        Each call took `each_us` microseconds (default: what is usual), the last one `last_us` (default: as long as the others).
        """
        with self._lock:
            each_us = self._usual_us if each_us is None else each_us
            if last_us is not None:
                self._add(len(self.bodies) - 1, each_us)
                each_us = last_us
            self._add(len(self.bodies), each_us)

    def _add(self, stop, microseconds):
        start = self._sent
        if start >= stop:
            return
        ids, bodies = self._ids[start:stop], self.bodies[start:stop]
        headers = map(_HEADER.pack, map(len, bodies), repeat(_RESULT_WITHOUT_FLAGS), repeat(microseconds), ids)
        frames = b"".join(chain.from_iterable(zip(headers, bodies)))
        # A signal that ends the worker between these two steps costs answers; the other way round some would be sent twice.
        self._sent = stop
        self._out += frames
