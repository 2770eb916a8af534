"""Makes the workers importable, with a stub of the SDK when it is not there."""

import os
import sys
import types

TESTS = os.path.dirname(os.path.abspath(__file__))
WORKERS = os.path.dirname(TESTS)
DATA = os.path.normpath(os.path.join(WORKERS, os.pardir, "data"))
_BRIDGE = os.path.normpath(
    os.path.join(WORKERS, os.pardir, os.pardir, os.pardir, "bridges", "python")
)


def _prepare():
    for folder in (_BRIDGE, WORKERS):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    try:
        import snakepit_bridge  # noqa: F401
    except ImportError:
        sys.modules["snakepit_bridge"] = _stub()


def _stub():
    def command(function=None, **_options):
        return function if function is not None else lambda inner: inner

    stub = types.ModuleType("snakepit_bridge")
    stub.command = command
    stub.batch = command
    stub.Context = type("Context", (), {})
    stub.ToolError = type("ToolError", (Exception,), {})
    stub.MessageError = type("MessageError", (Exception,), {})
    return stub


_prepare()


class FakeContext:
    """What commands need of a context."""

    def __init__(self, session=None):
        self.cancelled = False
        self.session = session
        self.deadline_seconds = None
        self.metrics = FakeMetrics()


class FakeMetrics:
    """What commands have measured, in order."""

    def __init__(self):
        self.measured = []

    def count(self, name, amount=1, **labels):
        self.measured.append(("count", name, amount, labels))

    def gauge(self, name, value, **labels):
        self.measured.append(("gauge", name, value, labels))

    def observe(self, name, value, **labels):
        self.measured.append(("observe", name, value, labels))


class FakeSession:
    id = "s1"

    def __init__(self):
        self._data = {}
        self.programs = FakePrograms()

    def get(self, key, default=None):
        return self._data.get(key, default)

    def set(self, key, value):
        self._data[key] = value

    def update(self, key, change, default=None):
        self._data[key] = change(self._data.get(key, default))
        return self._data[key]


class FakePrograms:
    def __init__(self):
        self._sources = {}

    def get(self, name):
        return self._sources.get(name)

    def set(self, name, source):
        self._sources[name] = source

    def delete(self, name):
        del self._sources[name]

    def keys(self):
        return list(self._sources)
