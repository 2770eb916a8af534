"""What a context can do over v1: little, since v1 carries nothing but requests and replies."""

import sys

from ..errors import SnakepitError
from ..event_loops import in_event_loop
from ..metrics import Metrics

_NEEDS_V2 = "%s needs protocol v2; this worker runs with v1"


class V1Runtime:
    """Log records go to stderr; progress, events and metrics are dropped; nothing is ever cancelled."""

    in_event_loop = staticmethod(in_event_loop)

    def __init__(self):
        self._loop = None

    @property
    def metrics(self):
        """Metrics that nobody gets."""
        return Metrics(lambda entries, call: None)

    def wait_for(self, result):
        """The result, awaited where it is awaitable."""
        if not hasattr(result, "__await__"):
            return result
        if self._loop is None:
            import asyncio

            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(_await(result))

    def close(self):
        """Close the event loop, if there is one."""
        if self._loop is not None:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    def is_cancelled(self, call_id):
        """False: v1 cannot cancel."""
        return False

    def running_call(self):
        """0: records over v1 do not name calls."""
        return 0

    def send_log(self, call_id, level, message, logger, fields):
        """Write the record to stderr as one line."""
        details = "".join(" %s=%r" % item for item in fields.items())
        print("%s %s: %s%s" % (level.upper(), logger, message, details), file=sys.stderr, flush=True)

    def send_progress(self, call_id, value):
        """Drop it."""

    def send_event(self, call_id, name, data):
        """Drop it."""

    def ask_host(self, call_id, method, args):
        """Raise SnakepitError."""
        raise SnakepitError(_NEEDS_V2 % method)

    def begin_ask(self, call_id, method, args):
        """Raise SnakepitError."""
        raise SnakepitError(_NEEDS_V2 % method)

    async def ask_host_async(self, call_id, method, args):
        """Raise SnakepitError."""
        raise SnakepitError(_NEEDS_V2 % method)


async def _await(awaitable):
    return await awaitable
