"""Log records on their way to the host."""

import sys

from .fork_guard import is_child_check

class CallLog:
    """Writes log records of one call; keyword arguments become the record's fields."""

    __slots__ = ("_runtime", "_call_id", "_logger")

    def __init__(self, runtime, call_id, logger):
        self._runtime = runtime
        self._call_id = call_id
        self._logger = logger

    def debug(self, message, **fields):
        """Log at level debug."""
        self._send("debug", message, fields)

    def info(self, message, **fields):
        """Log at level info."""
        self._send("info", message, fields)

    def warning(self, message, **fields):
        """Log at level warn."""
        self._send("warn", message, fields)

    def error(self, message, **fields):
        """Log at level error."""
        self._send("error", message, fields)

    def _send(self, level, message, fields):
        self._runtime.send_log(self._call_id, level, str(message), self._logger, fields)


def forward_logging(runtime, keeps_console=False):
    """Send to the host what the user's code logs, warns of and does not catch; `logging` may be loaded at any time.

    `keeps_console` leaves handlers alone that write to the standard streams, which the host does not read.
    """
    from .uncaught import forward_uncaught

    if "logging" in sys.modules:
        _install_handler(runtime, keeps_console)
    else:
        sys.meta_path.insert(0, _LoggingWatch(runtime))
    _forward_warnings(runtime)
    forward_uncaught(runtime)


def _install_handler(runtime, keeps_console=False):
    from .log_handler import install

    install(runtime, keeps_console)


class _LoggingWatch:
    """Sees `logging` being imported, which takes a worker too long to do for nothing; a finder of the import system."""

    def __init__(self, runtime):
        self._runtime = runtime

    def find_spec(self, name, path=None, target=None):
        """Find `logging` as the other finders do, and have the handler installed once it is loaded."""
        if name != "logging":
            return None
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        from importlib.util import find_spec

        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._runtime)
        return spec


class _Loader:
    """Loads as another loader does, and installs the handler then."""

    def __init__(self, loader, runtime):
        self._loader = loader
        self._runtime = runtime

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        """As the other loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module):
        """As the other loader does, and then some."""
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        _install_handler(self._runtime)


def _forward_warnings(runtime):
    import warnings

    is_child = is_child_check()

    def show(message, category, filename, lineno, file=None, line=None):
        if file is not None or is_child():
            (file or sys.stderr).write(warnings.formatwarning(message, category, filename, lineno, line))
            return
        fields = {"category": category.__name__, "file": filename, "line": lineno}
        runtime.send_log(runtime.running_call(), "warn", str(message), "py.warnings", fields)

    warnings.showwarning = show
