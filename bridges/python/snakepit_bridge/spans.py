"""Spans: what a sampled call does, with times, for the host's traces. Loaded with the first call that needs it."""

import os
import threading
from contextvars import ContextVar
from time import perf_counter_ns, time_ns

from .errors import Cancelled, Refusal

_MAX_SPANS = 256
_MAX_BYTES = 256 * 1024
_BATCH_SPANS = 32
_MAX_ATTRIBUTES = 64
_MAX_EVENTS = 64
_MAX_NAME = 256
_MAX_TEXT = 4096
_MAX_ITEMS = 128
_LARGEST_INTEGER = 2**53 - 1

_current = ContextVar("snakepit_span", default=None)


def trace_of(command, meta, send):
    """The trace of a call that is sampled, else None."""
    parent = parent_of(meta)
    return CallTrace(command, parent, meta["trace"].get("tracestate"), send) if parent else None


def parent_of(meta):
    """The trace id and the span id of a call that is sampled, else None."""
    trace = meta.get("trace")
    words = trace.get("traceparent") if type(trace) is dict else None
    parts = words.split("-") if type(words) is str else ()
    if len(parts) < 4 or len(parts[1]) != 32 or len(parts[2]) != 16 or len(parts[3]) != 2:
        return None
    return (parts[1], parts[2]) if parts[3][1] in "13579bdf" else None


class CallTrace:
    """The spans of one call. `root` is that of the command itself; the caller's span is its parent.

    `send(batch)` takes a dict; it is called from any thread that ends a span, and at last by `end`. The tasks of an asynchronous command
    each have a current span, and so have the threads of one that blocks; its generator may run in turns with others on one thread.
    """

    def __init__(self, command, parent, tracestate, send):
        self.trace_id, parent_id = parent
        self._tracestate = tracestate
        self._send = send
        self._is_async = command.is_async
        self._current = {}  # by thread
        self._finished = []
        self._started = 0
        self._bytes = 0
        self._dropped = 0
        self._is_over = False
        self._lock = threading.Lock()
        self.root = Span(self, "snakepit " + command.name, parent_id, {})

    @property
    def current(self):
        """The span that the running code is in."""
        if not self._is_async:
            return self._current.get(threading.get_ident(), self.root)
        span = _current.get()
        return span if span is not None and span.call_trace is self else self.root

    @property
    def header(self):
        """The span that the running code is in as W3C trace context, a dict."""
        header = {"traceparent": self.current.traceparent}
        if self._tracestate:
            header["tracestate"] = self._tracestate
        return header

    def span(self, name, attributes):
        """A span below the current one; NO_SPAN when the call has too many."""
        with self._lock:
            if self._is_over or self._started >= _MAX_SPANS:
                self._dropped += 1
                return NO_SPAN
            self._started += 1
        return Span(self, str(name), self.current.span_id, attributes)

    def enter(self, span):
        """The running code is in this span from now on; returns what `leave` wants."""
        if self._is_async:
            return _current.set(span)
        thread = threading.get_ident()
        outer = self._current.get(thread)
        self._current[thread] = span
        return outer

    def leave(self, outer):
        """The running code has left a span."""
        if not self._is_async:
            thread = threading.get_ident()
            if outer is None:
                self._current.pop(thread, None)
            else:
                self._current[thread] = outer
            return
        try:
            _current.reset(outer)
        except ValueError:
            pass  # left in another task than entered

    def add(self, span):
        """A span has ended."""
        record = span.record()
        with self._lock:
            if self._is_over:
                return
            self._bytes += _size(record)
            if self._bytes > _MAX_BYTES:
                self._dropped += 1
                return
            self._finished.append(record)
            if len(self._finished) < _BATCH_SPANS:
                return
            batch, self._finished = self._finished, []
        self._send({"spans": batch})

    def end(self, failure=None):
        """The command has ended, by that failure if it failed: send what was recorded."""
        if isinstance(failure, Cancelled):
            self.root.event("cancelled")
        elif failure is not None:
            self.root.fail(failure)
        record = self.root.record()
        with self._lock:
            self._is_over = True
            batch, self._finished = self._finished, []
        batch.append(record)
        self._send({"spans": batch, "dropped": self._dropped} if self._dropped else {"spans": batch})


class Span:
    """A span, from when it is made until it is left: `with ctx.span("load", rows=3) as span:`, or `async with`."""

    __slots__ = ("call_trace", "name", "span_id", "_parent_id", "_attributes", "_events", "_failure", "_start", "_began", "_end", "_outer")

    def __init__(self, call_trace, name, parent_id, attributes):
        self.call_trace = call_trace
        self.name = _text(name)[:_MAX_NAME]
        self.span_id = os.urandom(8).hex()
        self._parent_id = parent_id
        self._attributes = {}
        self._events = []
        self._failure = None
        self._end = None
        self._outer = None
        self._start = time_ns()
        self._began = perf_counter_ns()
        self.set(**attributes)

    @property
    def traceparent(self):
        """The span as the value of a header `traceparent`, for what it asks of others."""
        return "00-%s-%s-01" % (self.call_trace.trace_id, self.span_id)

    def set(self, **attributes):
        """Add attributes: text, numbers, booleans, lists of these; anything else as text. Returns the span."""
        for key, value in attributes.items():
            if value is not None and (key in self._attributes or len(self._attributes) < _MAX_ATTRIBUTES):
                self._attributes[key] = _attribute(value)
        return self

    def event(self, name, **attributes):
        """Note that something happened, now. Returns the span."""
        if len(self._events) < _MAX_EVENTS:
            pairs = {key: _attribute(value) for key, value in attributes.items() if value is not None}
            self._events.append({"name": _text(str(name))[:_MAX_NAME], "time": self._now() // 1000, "attributes": pairs})
        return self

    def fail(self, failure):
        """Note that what the span stands for has failed, by an exception or a tuple of its type and its message."""
        kind, message = failure if type(failure) is tuple else (_kind_of(failure), _message_of(failure))
        self.event("exception", **{"exception.type": kind, "exception.message": message})
        self._failure = _text("%s: %s" % (kind, message))[:_MAX_TEXT]

    def record(self):
        """The span as it is sent."""
        record = {
            "traceId": self.call_trace.trace_id,
            "spanId": self.span_id,
            "parentId": self._parent_id,
            "name": self.name,
            "start": self._start // 1000,
            "end": (self._end or self._now()) // 1000,
        }
        if self is self.call_trace.root:
            record["kind"] = "server"
        if self._attributes:
            record["attributes"] = self._attributes
        if self._events:
            record["events"] = self._events
        if self._failure is not None:
            record["error"] = self._failure
        return record

    def __enter__(self):
        self._outer = self.call_trace.enter(self)
        return self

    def __exit__(self, kind, error, traceback):
        self.call_trace.leave(self._outer)
        if self._end is None:
            self._end = self._now()
            if error is not None:
                self.fail(error)
            self.call_trace.add(self)

    async def __aenter__(self):
        return self.__enter__()

    async def __aexit__(self, kind, error, traceback):
        self.__exit__(kind, error, traceback)

    def _now(self):
        """Nanoseconds since the epoch; since the span began the clock that never goes back counts."""
        return self._start + perf_counter_ns() - self._began


class _NoSpan:
    """Stands for a span where nobody records: all its methods do nothing."""

    __slots__ = ()

    traceparent = None

    def set(self, **_):
        """Do nothing."""
        return self

    def event(self, name, **_):
        """Do nothing."""
        return self

    def fail(self, failure):
        """Do nothing."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return None


NO_SPAN = _NoSpan()


def _attribute(value):
    """What an attribute's value is sent as."""
    if isinstance(value, (list, tuple)):
        items = [_scalar(item) for item in value[:_MAX_ITEMS]]
        kinds = {type(item) for item in items}
        return items if len(kinds) <= 1 or kinds == {int, float} else [str(item) for item in items]
    return _scalar(value)


def _scalar(value):
    kind = type(value)
    if kind is bool or (kind is int and -_LARGEST_INTEGER <= value <= _LARGEST_INTEGER):
        return value
    if kind is float and value - value == 0:  # not infinite, and a number
        return value
    return _text(value if kind is str else _message_of(value))[:_MAX_TEXT]


def _kind_of(error):
    return error.code if isinstance(error, Refusal) else type(error).__name__


def _message_of(value):
    try:
        return str(value)
    except Exception as failure:
        return "<str() failed: %r>" % (failure,)


def _text(text):
    """The text with lone surrogates escaped, since the wire cannot carry them."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _size(record):
    """About how many bytes a record takes."""
    return 200 + len(repr(record.get("attributes", ""))) + len(repr(record.get("events", "")))
