"""Calls in whose name something may be sent."""

import threading

from .frame import PROGRESS


class OpenCalls:
    """Sees to it that nothing follows the answer of a call: the host may use its id again.

    Commands that take a context are opened and ended here. Those that take none can only log, while they run on the main
    thread, so that `running_id` is all they need.
    """

    def __init__(self, writer, arena, metrics):
        self.running_id = 0  # the call that the main thread runs
        self.traces = {}  # of the calls that are sampled, by id
        self._writer = writer
        self._arena = arena
        self._metrics = metrics
        self._main_thread = threading.get_ident()
        self._ids = set()
        self._lock = threading.RLock()  # a finalizer that logs may run within it

    def open(self, call_id):
        """From here until `end`, records may name the call."""
        self._ids.add(call_id)

    def end(self, call_id, failure=None):
        """From here on nothing may be sent in the name of the call but its answer, which is encoded already; `failure` if it is one."""
        if self.traces:
            trace = self.traces.pop(call_id, None)
            if trace is not None:
                trace.end(failure)
        if self._metrics.is_due:
            self._metrics.flush(call_id)
        with self._lock:
            self._ids.discard(call_id)
        if self._arena is not None:
            self._arena.end_call(call_id)

    def add_record(self, kind, call_id, flags, body):
        """Add a record to what is sent; of a call that has ended, PROGRESS is dropped and others lose the id."""
        is_main = threading.get_ident() == self._main_thread
        with self._lock:
            if call_id not in self._ids and not (is_main and call_id == self.running_id):
                if kind == PROGRESS:
                    return
                call_id = 0
            self._writer.add(kind, call_id, flags, 0, body)

    def allocate(self, call_id, count):
        """Writable memory for a result of an open call: in the arena, if it is large and there is room."""
        arena = self._arena
        if arena is not None and count >= arena.threshold_bytes:
            with self._lock:
                memory = arena.allocate(call_id, count) if call_id in self._ids else None
            if memory is not None:
                return memory
        return memoryview(bytearray(count))
