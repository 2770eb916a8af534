"""Data that the host keeps: of one session, and shared by all."""

from .errors import SnakepitError

_MAX_ATTEMPTS = 1000


class SharedData:
    """A map that lives in the host, so that it survives this worker; every verb asks the host.

    The verbs beginning with `a` are for asynchronous commands. All raise HostError if the host refuses.
    """

    __slots__ = ("_runtime", "_call_id", "_map")

    def __init__(self, runtime, call_id, map_name):
        self._runtime = runtime
        self._call_id = call_id
        self._map = map_name

    def get(self, key, default=None):
        """The value of `key`, or `default`."""
        return _found(self._ask("session.read", key=key), default)

    def set(self, key, value):
        """Store a value."""
        self._ask("session.write", key=key, value=value)

    def delete(self, key):
        """Remove a key; tells whether it existed."""
        return self._ask("session.delete", key=key)["written"]

    def keys(self):
        """The keys, as a list."""
        return self._ask("session.keys")

    def update(self, key, change, default=None):
        """Replace the value by `change(value)` atomically and return it; `change` may run more than once."""
        for _ in range(_MAX_ATTEMPTS):
            read = self._ask("session.read", key=key)
            value = change(_found(read, default))
            if self._ask("session.write", key=key, value=value, revision=read["revision"])["written"]:
                return value
        raise _lost(key)

    async def aget(self, key, default=None):
        """Like `get`."""
        return _found(await self._aask("session.read", key=key), default)

    async def aset(self, key, value):
        """Like `set`."""
        await self._aask("session.write", key=key, value=value)

    async def adelete(self, key):
        """Like `delete`."""
        return (await self._aask("session.delete", key=key))["written"]

    async def akeys(self):
        """Like `keys`."""
        return await self._aask("session.keys")

    async def aupdate(self, key, change, default=None):
        """Like `update`."""
        for _ in range(_MAX_ATTEMPTS):
            read = await self._aask("session.read", key=key)
            value = change(_found(read, default))
            if (await self._aask("session.write", key=key, value=value, revision=read["revision"]))["written"]:
                return value
        raise _lost(key)

    def _ask(self, method, **args):
        return self._runtime.ask_host(self._call_id, method, {"map": self._map, **args})

    def _aask(self, method, **args):
        return self._runtime.ask_host_async(self._call_id, method, {"map": self._map, **args})


class Session(SharedData):
    """A session: its `id`, its values (`get`, `set`, `delete`, `keys`, `update`), and its stored `programs`."""

    __slots__ = ("id", "programs")

    def __init__(self, runtime, call_id, session_id):
        super().__init__(runtime, call_id, "metadata")
        self.id = session_id
        self.programs = SharedData(runtime, call_id, "programs")


def _found(read, default):
    return read["value"] if read["found"] else default


def _lost(key):
    return SnakepitError("update of %r lost %d races against other writers; write it less often" % (key, _MAX_ATTEMPTS))
