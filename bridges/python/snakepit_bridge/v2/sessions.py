"""Runs the hooks that follow sessions in and out of a worker."""

from ..errors import SnakepitError
from ..hooks import SESSION_CLOSE, SESSION_OPEN
from ..process import complain
from ..session import Session


class SessionHooks:
    """Remembers which sessions this worker has seen, if a hook wants to know."""

    def __init__(self, manifest, runtime):
        self._on_open = manifest.hooks(SESSION_OPEN)
        self._on_close = manifest.hooks(SESSION_CLOSE)
        self.has_any = bool(self._on_open or self._on_close)
        self._runtime = runtime
        self._seen = set()

    def open(self, session_id, call_id):
        """Run the opening hooks before a session's first call; what they raise fails that call."""
        if not self.has_any or session_id is None or session_id in self._seen:
            return
        for hook in self._on_open:
            self._runtime.run_hook(hook, Session(self._runtime, call_id, session_id))
        self._seen.add(session_id)

    def close_all(self):
        """Run the closing hooks of all sessions, since their host is gone."""
        for session_id in list(self._seen):
            self.close(session_id)

    def close(self, session_id):
        """Run the closing hooks of a session that this worker has seen."""
        if session_id not in self._seen:
            return
        self._seen.discard(session_id)
        for hook in self._on_close:
            try:
                self._runtime.run_hook(hook, Session(_ClosedSession, 0, session_id))
            except Exception as error:
                complain("on_session_close failed for %s: %s: %s" % (session_id, type(error).__name__, error))


class _ClosedSession:
    """Stands in for the host where a session's data is gone."""

    @staticmethod
    def ask_host(call_id, method, args):
        raise SnakepitError("the session is over; its data is gone")

    @staticmethod
    async def ask_host_async(call_id, method, args):
        raise SnakepitError("the session is over; its data is gone")
