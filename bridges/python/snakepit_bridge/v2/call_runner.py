"""Runs calls of every kind but those that the fast path takes."""

import threading
from functools import partial
from time import perf_counter

from ..command import STREAM
from ..context import Context
from ..current_call import current_call
from ..errors import (
    CANCELLED,
    INVALID_ARGUMENTS,
    UNKNOWN_COMMAND,
    HostGone,
    ProtocolError,
    RefusedValue,
    Refusal,
)
from .frame import FLAG_DEADLINE, FLAG_META, FLAG_STREAM, NAMED_COMMAND, SESSION_CLOSED, aux_of, flags_of
from .sessions import SessionHooks

SLOW_SECONDS = 0.0001
PASSING_ERRORS = (SystemExit, KeyboardInterrupt, HostGone, ProtocolError)
_NO_META = {}


class CallRunner:
    """Begins calls: with context, with meta, asynchronous, streaming, cancelled, malformed, or of no known command."""

    def __init__(self, parts):
        self._manifest = parts.manifest
        self._commands = parts.manifest.commands
        self._codec = parts.codec
        self._replies = parts.replies
        self._writer = parts.writer
        self._late_cancels = parts.queue.late_cancels
        self._streams = parts.streams
        self._async = parts.async_runner
        self._threads = parts.thread_runner
        self._open_calls = parts.open_calls
        self._arena = parts.arena
        self._runtime = parts.runtime
        self._trace_of = None  # loaded when a call is traced
        self._decoding = threading.Lock()  # the codec counts for one body at a time
        self._hooks = SessionHooks(parts.manifest, parts.runtime)
        self.has_session_hooks = self._hooks.has_any
        self.has_concurrent = any(map(parts.manifest.is_concurrent, self._commands))

    def is_concurrent(self, call):
        """Tell whether the event loop, or a thread, will run this call."""
        index = aux_of(call[1])
        return index < len(self._commands) and self._manifest.is_concurrent(self._commands[index])

    def begin_concurrent(self, call):
        """On any reading thread: begin a call that needs nothing of the main thread; False if it is not one."""
        call_id, head, _, _, _ = call
        needs_hooks = self._hooks.has_any and flags_of(head) & FLAG_META
        if not call_id or needs_hooks or not self.is_concurrent(call):
            return False
        self._submit(self._commands[aux_of(head)], call)
        return True

    def begin(self, call):
        """Begin a call on the main thread, and end it unless it streams or runs elsewhere."""
        call_id, head, _, _, _ = call
        if call_id == 0:
            self._close_session(call)
            return
        began = perf_counter()
        command = failure = None
        try:
            if call_id in self._late_cancels:
                raise Refusal(CANCELLED, "the call was cancelled before it began", started=False)
            meta, arguments = self._open(call)
            command = self._find(aux_of(head), meta)
            if self._manifest.is_concurrent(command):
                self._hooks.open(meta.get("session"), call_id)
                runner, held = self._submit(command, call)
                if call_id in self._late_cancels and runner.calls.get(call_id) is held:
                    runner.cancel(held)
                return
            if command.is_slow:
                self._writer.flush()
            if self._trace(command, call_id, meta):
                began = perf_counter()  # to begin a record is no part of the command's time
            result = self._invoke(command, call, meta, arguments)
            if flags_of(head) & FLAG_STREAM:
                self._streams.start(call_id, result if command.kind == STREAM else (result,))
                return
            encoded = self._replies.encode(result, in_arena=True)
        except PASSING_ERRORS:
            raise
        except BaseException as error:
            failure = error
            answer = partial(self._replies.error, call_id, error, perf_counter() - began)
        else:
            answer = partial(self._replies.encoded, call_id, encoded, perf_counter() - began)
        if command is not None:
            command.is_slow = perf_counter() - began > SLOW_SECONDS
        self._streams.forget(call_id)
        self._open_calls.end(call_id, failure)
        answer()

    def answer_failure(self, call, error, seconds):
        """Answer a call of the fast path whose command raised."""
        if type(error) is TypeError:
            error = self._misfit(self._commands[aux_of(call[1])], call, error)
        self._replies.error(call[0], error, seconds)

    def _misfit(self, command, call, error):
        try:
            command.refuse_misfit(self._open(call)[1], error)
        except Refusal as refusal:
            return refusal
        return error

    def _invoke(self, command, call, meta, arguments):
        """Call a synchronous command; a stream's body begins only when it is advanced."""
        _refuse_plain_call_of_stream(command, call)
        self._hooks.open(meta.get("session"), call[0])
        context = self._context(command, call, meta)
        is_batch = meta.get("batch") is True
        if context is None:
            return command.invoke(arguments, None, is_batch)
        token = current_call.set(call[0])  # for threads that take over the context
        try:
            return command.invoke(arguments, context, is_batch)
        finally:
            current_call.reset(token)

    def _submit(self, command, call):
        """Give a call to the event loop, or to a thread, where its arguments are decoded too; returns who has it, and as what."""
        call_id, head, _, _, _ = call

        def prepare():
            _refuse_plain_call_of_stream(command, call)
            with self._decoding:
                meta, arguments = self._open(call)
            self._trace(command, call_id, meta)
            return command.invoke(arguments, self._context(command, call, meta), meta.get("batch") is True)

        self._streams.forget(call_id)
        self._open_calls.open(call_id)
        runner, create = self._runner_of(command)
        held = create(call_id, command, prepare, bool(flags_of(head) & FLAG_STREAM), self._streams.credit)
        runner.submit(held)
        return runner, held

    def _runner_of(self, command):
        """Who runs the calls of a command, and the class of what it takes."""
        if command.is_async:
            from .async_runner import AsyncCall

            return self._async, AsyncCall
        from .thread_runner import ThreadCall

        return self._threads, ThreadCall

    def _open(self, call):
        """The meta and the arguments of a call. Raises Refusal and ProtocolError."""
        call_id, head, body, _, _ = call
        index, flags = aux_of(head), flags_of(head)
        takes_views = self._arena is not None and index < len(self._commands) and self._commands[index].takes_views
        loan = [] if takes_views else None
        try:
            value = self._codec.decode(body, flags, 1 if flags & FLAG_META else 0, loan)
        except RefusedValue as refused:
            raise Refusal(INVALID_ARGUMENTS, "args: %s" % refused) from None
        if loan:
            self._arena.lend(call_id, loan)
        if not flags & FLAG_META:
            return _NO_META, value
        if type(value) is not list or len(value) != 2 or type(value[0]) is not dict:
            raise ProtocolError("a call with META whose value is not [meta, arguments]")
        return value

    def _find(self, index, meta):
        if index < len(self._commands):
            return self._commands[index]
        name = meta.get("command") if index == NAMED_COMMAND else None
        command = self._manifest.find(name)
        if command is None:
            known = ", ".join(sorted(self._manifest.by_name)[:20])
            wanted = "named %r" % name if name is not None else "of index %d" % index
            raise Refusal(UNKNOWN_COMMAND, "no command %s; this worker has: %s" % (wanted, known))
        return command

    def _context(self, command, call, meta):
        """A context for commands that take one, else None."""
        if not command.takes_context:
            return None
        call_id, head, _, received, milliseconds = call
        deadline = received + milliseconds / 1000 if flags_of(head) & FLAG_DEADLINE else None
        self._open_calls.open(call_id)
        return Context(self._runtime, command.name, call_id, deadline, meta, self._open_calls.traces.get(call_id))

    def _trace(self, command, call_id, meta):
        """Record the spans of a call from here on, if it is sampled; tells whether it is."""
        if meta.get("trace") is None:
            return False
        if self._trace_of is None:
            from ..spans import trace_of

            self._trace_of = trace_of
        trace = self._trace_of(command, meta, partial(self._runtime.send_spans, call_id))
        if trace is not None:
            self._open_calls.traces[call_id] = trace
        return trace is not None

    def _close_session(self, call):
        _, head, body, _, _ = call
        if head >> 24 != SESSION_CLOSED:
            raise ProtocolError("a CALL with the id 0")
        self._hooks.close(self._codec.decode(body, flags_of(head)))


def _refuse_plain_call_of_stream(command, call):
    if command.kind == STREAM and not flags_of(call[1]) & FLAG_STREAM:
        raise Refusal(INVALID_ARGUMENTS, "%s is a stream; call it as one" % command.name)
