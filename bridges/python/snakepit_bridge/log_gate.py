"""Keeps a flood of log records from the host."""

import threading
from time import monotonic

RECORDS_PER_SECOND = 1000
_NOTICE_SECONDS = 1.0
_LOGGER = "snakepit_bridge.log"


class LogGate:
    """Lets a thousand records pass at once, and as many each second; the others are dropped, and their number is told.

    `tell(level, message, logger, fields)` sends a record past the gate.
    """

    def __init__(self, tell):
        self._tell = tell
        self._room = float(RECORDS_PER_SECOND)
        self._looked_at = monotonic()
        self._dropped = 0
        self._timer = None
        self._lock = threading.RLock()  # a finalizer that logs may run within it

    def admits(self):
        """Tell whether a record may be sent now."""
        with self._lock:
            now = monotonic()
            self._room = min(RECORDS_PER_SECOND, self._room + (now - self._looked_at) * RECORDS_PER_SECOND)
            self._looked_at = now
            if self._room >= 1:
                self._room -= 1
                return True
            self._dropped += 1
            if self._timer is None:
                self._timer = threading.Timer(_NOTICE_SECONDS, self._tell_dropped)
                self._timer.daemon = True
                self._timer.start()
            return False

    def _tell_dropped(self):
        with self._lock:
            dropped, self._dropped, self._timer = self._dropped, 0, None
        message = "%d log records were dropped: more than %d a second" % (dropped, RECORDS_PER_SECOND)
        self._tell("warn", message, _LOGGER, {"dropped": dropped})
