"""The worker as its hooks and `logging` see it."""

import threading
from collections import deque

from ..current_call import current_call
from .call_runtime import send_log

_MAX_KEPT_RECORDS = 1000


class WorkerRuntime:
    """What belongs to no call: hooks, and log records, which go to every host; some are kept until the first one attaches."""

    def __init__(self, parts):
        self.attachments = None
        self._async = parts.async_runner
        self._running = parts.open_calls
        self._main_thread = threading.get_ident()
        self._kept = deque(maxlen=_MAX_KEPT_RECORDS)

    def run_hook(self, hook, *args):
        """Call a hook; one that is asynchronous runs in the event loop of asynchronous commands, and is waited for."""
        result = hook(*args)
        if hasattr(result, "__await__"):
            self._async.run_hook(_await(result))

    def running_call(self):
        """The call that the current thread or task works for, as far as its context tells, or None."""
        if threading.get_ident() == self._main_thread:
            return self._running.running_id
        return current_call.get() or None

    def send_log(self, call, level, message, logger, fields):
        """Send a log record in the name of a call, or of none (None)."""
        record = (level, message, logger, fields)
        if call is not None:
            send_log(call.attachment, call, *record)
            return
        attachments = self.attachments.all_open()
        if not attachments:
            self._kept.append(record)
        for attachment in attachments:
            send_log(attachment, None, *record)

    def send_kept(self, attachment):
        """Send what was logged before there was a host."""
        while self._kept:
            send_log(attachment, None, *self._kept.popleft())


async def _await(awaitable):
    return await awaitable
