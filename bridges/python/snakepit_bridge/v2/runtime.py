"""The worker as contexts see it."""

import threading
from time import monotonic

from ..current_call import current_call
from ..errors import HostGone, Refusal
from ..event_loops import in_event_loop
from ..log_gate import LogGate
from ..log_text import MAX_FIELDS_BYTES, as_texts, clipped, printable
from .frame import EVENT, LOG, PROGRESS
from .host_calls import Answer

_LOOK_SECONDS = 0.001


class Runtime:
    """What commands ask of their worker, through a context or by logging, from any thread."""

    def __init__(self, parts):
        self._replies = parts.replies
        self._writer = parts.writer
        self._host_calls = parts.host_calls
        self._late_cancels = parts.queue.late_cancels
        self._intake = parts.intake
        self._streams = parts.streams
        self._async = parts.async_runner
        self._questions = parts.async_questions
        self._threads = parts.thread_runner
        self._open_calls = parts.open_calls
        self._main_thread = threading.get_ident()
        self._log_gate = LogGate(self._tell_dropped)
        self.allocate = parts.open_calls.allocate
        self.metrics = parts.metrics

    def run_hook(self, hook, *args):
        """Call a hook; one that is asynchronous runs in the event loop, and is waited for."""
        result = hook(*args)
        if hasattr(result, "__await__"):
            self._async.run_hook(_await(result))

    def is_cancelled(self, call_id):
        """Tell whether a running call was cancelled; the main thread looks at the socket for it."""
        if self._is_main_thread() and monotonic() - self._intake.last_look > _LOOK_SECONDS:
            self._intake.look_in_between()
        is_cancelled = self._streams.is_cancelled(call_id)
        if is_cancelled is not None:
            return is_cancelled
        held = self._async.calls.get(call_id) or self._threads.calls.get(call_id)
        return held.is_cancelled if held is not None else call_id in self._late_cancels

    def running_call(self):
        """Id of the call that the current thread or task works for, as far as its context tells, else 0."""
        if self._is_main_thread():
            return self._open_calls.running_id
        return current_call.get()

    def send_log(self, call_id, level, message, logger, fields):
        """Send a log record, unless there are too many; fields that cannot be sent as they are are sent as text."""
        if self._log_gate.admits():
            self._send_record(call_id, level, message, logger, fields)

    def _tell_dropped(self, level, message, logger, fields):
        try:
            self._send_record(0, level, message, logger, fields)
        except HostGone:
            pass  # by a thread that nobody waits for

    def _send_record(self, call_id, level, message, logger, fields):
        record = {"level": level, "message": clipped(message), "logger": logger}
        if fields:
            record["fields"] = fields
        try:
            flags, body = self._replies.encode(record, "log")
        except Refusal:
            body = None
        if body is None or len(body) > MAX_FIELDS_BYTES:
            record["message"] = printable(clipped(message))
            record["fields"] = as_texts(fields)
            flags, body = self._replies.encode(record, "log")
        self._add(LOG, call_id, flags, body)

    def send_progress(self, call_id, value):
        """Send PROGRESS. Raises Refusal if the value cannot be encoded."""
        self._send(PROGRESS, call_id, value, "progress")

    def send_event(self, call_id, name, data):
        """Send EVENT. Raises Refusal if the data cannot be encoded."""
        self._send(EVENT, call_id, {"name": name, "data": data}, "event")

    def send_spans(self, call_id, batch):
        """Send spans that have ended, with what is sent next; those that are too large are dropped."""
        try:
            flags, body = self._replies.encode({"name": "snakepit.spans", "data": batch}, "spans")
        except Refusal:
            return
        self._open_calls.add_record(EVENT, call_id, flags, body)

    def ask_host(self, call_id, method, args):
        """Ask the host and wait for the answer. Raises HostError if it refuses."""
        return self.answer_of(self.begin_ask(call_id, method, args))

    def begin_ask(self, call_id, method, args):
        """Ask the host; `answer_of` waits for the answer."""
        answer = Answer()
        self._host_calls.ask(call_id, method, args, answer, self._trace_header(call_id))
        return answer

    def answer_of(self, answer):
        """What the host answered, once it has. Raises HostError if it refused."""
        if self._is_main_thread():
            self._intake.read_until(answer)
        else:
            answer.wait()
        return self._host_calls.read(*answer.content)

    def in_event_loop(self):
        """Tell whether an event loop runs the caller, the worker's own or one that a command runs by itself."""
        return threading.get_ident() == self._async.thread_id or in_event_loop()

    def ask_host_async(self, call_id, method, args):
        """Ask the host; the answer is to be awaited at once, and raises HostError if it refuses."""
        if threading.get_ident() == self._async.thread_id:
            return self._questions.ask(call_id, method, args, self._trace_header(call_id) if self._open_calls.traces else None)
        return self._ask_in_foreign_loop(call_id, method, args)

    async def _ask_in_foreign_loop(self, call_id, method, args):
        """The same in an event loop that a command runs by itself."""
        from asyncio import get_running_loop

        loop = get_running_loop()
        future = loop.create_future()

        def settle(content):
            if not future.done():
                future.set_result(content)

        def on_answer(*content):
            try:
                loop.call_soon_threadsafe(settle, content)
            except RuntimeError:
                pass  # the event loop was closed by a command that does not wait any more

        self._host_calls.ask(call_id, method, args, on_answer, self._trace_header(call_id))
        return self._host_calls.read(*await future)

    def _trace_header(self, call_id):
        """The span that asks; None for a call that is not sampled."""
        trace = self._open_calls.traces.get(call_id)
        return None if trace is None else trace.header

    def _send(self, kind, call_id, value, root):
        flags, body = self._replies.encode(value, root)
        self._add(kind, call_id, flags, body)

    def _add(self, kind, call_id, flags, body):
        self._open_calls.add_record(kind, call_id, flags, body)
        if threading.get_ident() == self._async.thread_id:
            self._async.flush_soon()
        else:
            self._writer.flush()

    def _is_main_thread(self):
        return threading.get_ident() == self._main_thread


async def _await(awaitable):
    return await awaitable
