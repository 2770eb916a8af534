"""One call on its way through the worker."""

from collections import deque
from time import monotonic

from ..command import STREAM
from ..context import Context
from ..errors import CANCELLED, INVALID_ARGUMENTS, Refusal
from .call_runtime import CallRuntime
from .outcome import ABANDONED, failure_facts

_NO_META = {}


class Call:
    """A call, from when its RPC arrives until both its command and its RPC have ended.

        gRPC thread            command thread or async thread        gRPC thread
        admitted ──▶ queued ──▶ running ──▶ finish(outcome) ──ring──▶ wake: the RPC is answered, or `released` is sent

    `attachment`, the host's side of it, may stand for a caller without one. `parts` is what a stream has yet to send.
    """

    __slots__ = (
        "attachment",
        "number",
        "request",
        "command",
        "is_stream",
        "is_cancelled",
        "is_release_due",
        "has_rpc",
        "has_rung",
        "is_ended",
        "notices",
        "outcome",
        "parts",
        "call_trace",
        "waiter",
        "_deadline",
    )

    def __init__(self, attachment, number, request, command, is_stream, seconds_left):
        self.attachment = attachment
        self.number = number
        self.request = request
        self.command = command
        self.is_stream = is_stream
        self.is_cancelled = False
        self.is_release_due = False
        self.has_rpc = True
        self.has_rung = False
        self.is_ended = False
        self.notices = 0
        self.outcome = None
        self.parts = deque() if is_stream else None
        self.call_trace = None
        self.waiter = None
        self._deadline = None if seconds_left is None else monotonic() + seconds_left

    @property
    def wanted(self):
        """How the caller named the command, for messages."""
        name = self.request.command_name
        return "named %r" % name if name else "of index %d" % self.request.command

    @property
    def wanted_name(self):
        """The command's name, or None where the caller gave an index."""
        return self.request.command_name or None

    @property
    def session_id(self):
        """The session that the call belongs to, or None."""
        return self.request.meta.session or None

    @property
    def is_batch(self):
        """Tell whether the arguments are those of several calls."""
        return self.request.meta.batch

    @property
    def values(self):
        """What encodes the answer."""
        return self.attachment.values

    def begin(self, command_thread):
        """It is this call's turn. On the command thread."""
        command_thread.run_call(self)

    def invoke(self):
        """Run the command's function with the decoded arguments. Raises Refusal, and whatever the function raises."""
        command = self.command
        if command.kind == STREAM and not self.is_stream:
            raise Refusal(INVALID_ARGUMENTS, "%s is a stream; call it as one" % command.name)
        arguments = self.take_arguments()
        self._trace()
        context = self._context() if command.takes_context else None
        return command.invoke(arguments, context, self.is_batch)

    def take_arguments(self):
        """The decoded arguments. Raises Refusal."""
        return self.values.decode_arguments(self.request.body, self.request.tagged)

    def refuse_cancelled(self):
        """Raise Refusal if the call was cancelled before it began."""
        if self.is_cancelled:
            raise Refusal(CANCELLED, "the call was cancelled before it began", started=False)

    def finish(self, outcome):
        """The command has ended. From any thread; nothing may be sent in the call's name afterwards."""
        if self.call_trace is not None:
            self.call_trace.end(failure_facts(outcome))
        self.attachment.end_call(self, outcome)
        self.outcome = outcome
        self.attachment.doorbell.ring(self)

    def abandon(self):
        """The worker ends: if the command has not, nobody will answer. On the gRPC thread, after all commands."""
        if self.outcome is None:
            self.is_ended = True
            self.outcome = ABANDONED
            self.wake()

    def add_part(self, part):
        """Send a chunk or a progress of a stream. From any thread."""
        self.parts.append(part)
        if not self.has_rung:
            self.has_rung = True
            self.attachment.doorbell.ring(self)

    def wake(self):
        """Something has come for the RPC; if that is over, and the command too, tell the host. On the gRPC thread."""
        self.has_rung = False  # before anybody looks at the parts, so that none is forgotten
        waiter = self.waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
        if not self.has_rpc and self.outcome is not None:
            self.attachment.release(self)

    def lose_rpc(self):
        """The RPC has ended before it was answered. On the gRPC thread."""
        self.has_rpc = False
        if self.outcome is not None:
            self.attachment.release(self)

    def _context(self):
        return Context(CallRuntime(self), self.command.name, self.number, self._deadline, self._meta(), self.call_trace)

    def _trace(self):
        """Record the spans of a call that is sampled, from here on."""
        if not self.attachment.has_control_stream or not self.request.meta.traceparent:
            return
        from ..spans import trace_of

        self.call_trace = trace_of(self.command, self._meta(), CallRuntime(self).send_spans)

    def _meta(self):
        if not self.request.HasField("meta"):
            return _NO_META
        meta = self.request.meta
        trace = {"traceparent": meta.traceparent, "tracestate": meta.tracestate}
        return {
            "session": meta.session or None,
            "trace": {name: value for name, value in trace.items() if value},
            "context": dict(meta.context),
        }
