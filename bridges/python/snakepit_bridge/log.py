"""Log records on their way to the host."""

import sys

_LEVELS = ((50, "fatal"), (40, "error"), (30, "warn"), (20, "info"))


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


def forward_logging(runtime):
    """Send records of `logging` and `warnings` to the host, if the user's code has loaded these modules."""
    if "logging" in sys.modules:
        _forward_records(runtime, sys.modules["logging"])
    if "warnings" in sys.modules:
        _forward_warnings(runtime, sys.modules["warnings"])


def _forward_records(runtime, logging):
    class HostHandler(logging.Handler):
        """Turns records into LOG frames."""

        def emit(self, record):
            try:
                level = next((name for number, name in _LEVELS if record.levelno >= number), "debug")
                fields = {}
                if record.exc_info:
                    fields["exception"] = logging.Formatter().formatException(record.exc_info)
                runtime.send_log(runtime.running_call(), level, record.getMessage(), record.name, fields)
            except Exception:
                self.handleError(record)

    logging.getLogger().addHandler(HostHandler())


def _forward_warnings(runtime, warnings):
    def show(message, category, filename, lineno, file=None, line=None):
        if file is not None:
            file.write(warnings.formatwarning(message, category, filename, lineno, line))
            return
        fields = {"category": category.__name__, "file": filename, "line": lineno}
        runtime.send_log(runtime.running_call(), "warn", str(message), "py.warnings", fields)

    warnings.showwarning = show
