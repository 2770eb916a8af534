"""What a command may know and do besides its arguments."""

from time import monotonic

from .errors import Cancelled
from .log import CallLog
from .session import Session, SharedData


class Context:
    """One call, as seen by the command that serves it.

    `command`, `call_id`, `trace` (W3C trace context, a dict) and `context` (the application's values, a dict) are plain
    facts of the call. `runtime` is the worker's own side of it, `call_trace` what records its spans, if it is sampled.
    """

    __slots__ = ("command", "call_id", "trace", "context", "_runtime", "_session_id", "_deadline", "_session", "_globals", "_tools", "_input", "_call_trace")

    def __init__(self, runtime, command, call_id, deadline=None, meta=None, call_trace=None):
        meta = meta or {}
        self.command = command
        self.call_id = call_id
        self.trace = meta.get("trace") or {}
        self.context = meta.get("context") or {}
        self._runtime = runtime
        self._session_id = meta.get("session")
        self._deadline = deadline
        self._session = None
        self._globals = None
        self._tools = None
        self._input = None
        self._call_trace = call_trace

    @property
    def session(self):
        """The session that the call belongs to, or None."""
        if self._session is None and self._session_id is not None:
            self._session = Session(self._runtime, self.call_id, self._session_id)
        return self._session

    @property
    def globals(self):
        """The values that all sessions of the host share."""
        if self._globals is None:
            self._globals = SharedData(self._runtime, self.call_id, "globals")
        return self._globals

    @property
    def tools(self):
        """Functions of the host: `ctx.tools.price_of(sku="x")`; awaitable in asynchronous commands."""
        if self._tools is None:
            from .tools import Tools

            self._tools = Tools(self._runtime, self.call_id)
        return self._tools

    @property
    def input(self):
        """What the caller sends while the command runs: a binary file, see `CallInput`."""
        if self._input is None:
            from .input import CallInput

            self._input = CallInput(self._runtime, self.call_id)
        return self._input

    @property
    def deadline_seconds(self):
        """Seconds left to the call's deadline, at least 0.0; None without a deadline."""
        return None if self._deadline is None else max(0.0, self._deadline - monotonic())

    @property
    def cancelled(self):
        """Tell whether the caller left or the deadline passed, so that the result is not wanted any more."""
        return self._runtime.is_cancelled(self.call_id)

    def raise_if_cancelled(self):
        """Raise Cancelled if the call was cancelled."""
        if self.cancelled:
            raise Cancelled("the call was cancelled")

    def allocate(self, count):
        """Memory of `count` bytes to build a result in, a writable memoryview; what it holds at first is undefined.

        If it is large, it lies where the host can read it: returning it, a part of it or an array over it then copies nothing.
        Once returned or yielded it belongs to the host; allocate anew for the next value.
        """
        return self._runtime.allocate(self.call_id, count)

    @property
    def log(self):
        """Log records to the host: `ctx.log.info("loaded", rows=3)`; levels debug, info, warning, error."""
        return CallLog(self._runtime, self.call_id, self.command)

    def progress(self, value):
        """Tell the caller how far the call is; `value` is anything encodable."""
        self._runtime.send_progress(self.call_id, value)

    @property
    def metrics(self):
        """Measure for the host's Prometheus: `ctx.metrics.count("rows", 3, table="orders")`, `gauge` and `observe`.

        Names and labels are letters, digits and underscores; what is measured leaves before the call's answer at the latest.
        """
        return self._runtime.metrics

    def span(self, name, /, **attributes):
        """A span of the call's trace: `with ctx.span("load", rows=3) as span:`, or `async with`; what is raised inside is recorded.

        `span.set(key=value)` adds attributes, `span.event(name, key=value)` notes a moment, `span.traceparent` is the header for what is
        asked of others. Does nothing, and costs little, when the call is not sampled.
        """
        if self._call_trace is not None:
            return self._call_trace.span(name, attributes)
        from .spans import NO_SPAN

        return NO_SPAN

    @property
    def traceparent(self):
        """The current span as the value of a header `traceparent`, or the caller's if nothing is recorded; None without a trace."""
        return self.trace.get("traceparent") if self._call_trace is None else self._call_trace.current.traceparent

    def emit(self, name, data=None):
        """Send an event: to the application's telemetry, and to its handlers of `@EventPattern(name)`.

        Where those have a map for a pattern, `name` is that map. Names that begin with "snakepit." are taken.
        """
        if isinstance(name, dict):
            from .messages import name_of

            name = name_of(name)
        if isinstance(name, str) and name.startswith("snakepit."):
            raise ValueError("events named snakepit.… are the library's own; choose another name than %r" % (name,))
        self._runtime.send_event(self.call_id, name, data)

    def send(self, pattern, data=None):
        """Send a message to the application's handler of `@MessagePattern(pattern)` and return its answer.

        In asynchronous commands the answer has to be awaited; elsewhere the command waits. Raises MessageError for what the handler
        raised, or where there is none; Cancelled if the call ends before the answer.
        """
        from .messages import send

        return send(self._runtime, self.call_id, pattern, data)
