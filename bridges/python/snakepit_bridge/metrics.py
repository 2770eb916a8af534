"""What commands measure, on its way to the host."""

import threading
from math import isfinite
from time import monotonic

METRICS_EVENT = "snakepit.metrics"
RESERVED_PREFIX = "snakepit."

_WAIT_SECONDS = 0.1
_MAX_ENTRIES = 1000


class Metrics:
    """Adds up what is measured, and sends it before the next answer of a call that could measure, or after a tenth of a second.

    Counting in a loop therefore costs no message each time. `send(entries, call)` is called from whichever thread measures;
    `call` is what `flush` was given.
    """

    def __init__(self, send):
        self.is_due = False
        self._send = send
        self._lock = threading.RLock()  # a finalizer that measures may run within it
        self._entries = {}
        self._size = 0
        self._due_since = 0.0

    def count(self, name, amount=1, **labels):
        """Add `amount`, which is not negative, to a counter."""
        amount = _number(name, amount)
        if amount < 0:
            raise ValueError("metric %r: a count must not be negative, and %r is" % (name, amount))
        with self._lock:
            entry = self._entry("count", name, labels, 0)
            entry[3] += amount
        self._look_at_clock()

    def gauge(self, name, value, **labels):
        """Set a value that goes up and down; each worker has its own."""
        value = _number(name, value)
        with self._lock:
            entry = self._entry("gauge", name, labels, 0)
            entry[3] = value
        self._look_at_clock()

    def observe(self, name, value, **labels):
        """Add a value to a histogram."""
        value = _number(name, value)
        with self._lock:
            entry = self._entry("observe", name, labels, None)
            entry[3].append(value)
            self._size += 1
        self._look_at_clock()

    def flush(self, call=None):
        """Send what there is."""
        with self._lock:
            self.is_due = False
            entries, self._entries, self._size = list(self._entries.values()), {}, 0
        if entries:
            self._send(entries, call)

    def _entry(self, kind, name, labels, start):
        key = (kind, name, tuple(sorted(labels.items()))) if labels else (kind, name)
        entry = self._entries.get(key)
        if entry is None:
            texts = {label: str(value) for label, value in labels.items()} or None
            entry = self._entries[key] = [kind, str(name), texts, [] if start is None else start]
            self._size += 1
        return entry

    def _look_at_clock(self):
        now = monotonic()
        if not self.is_due:
            self.is_due, self._due_since = True, now
        elif now - self._due_since > _WAIT_SECONDS or self._size > _MAX_ENTRIES:
            self.flush()


def _number(name, value):
    number = value if type(value) in (int, float) else float(value)
    if not isfinite(number):
        raise ValueError("metric %r: %r is not a finite number" % (name, value))
    return number
