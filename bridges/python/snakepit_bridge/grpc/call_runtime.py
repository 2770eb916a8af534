"""The worker as the context of one call sees it."""

from ..errors import Refusal
from ..event_loops import in_event_loop
from ..log_text import MAX_FIELDS_BYTES, as_texts, clipped, printable
from .generated.worker_pb2 import Event, Log, Progress, WorkerMessage
from .host_calls import Answer
from .stream_parts import ProgressPart
from .wire import body_of


class CallRuntime:
    """What a command asks of its worker, from any thread; the number of the call, which contexts pass, is known already."""

    __slots__ = ("_call", "_attachment")

    in_event_loop = staticmethod(in_event_loop)

    def __init__(self, call):
        self._call = call
        self._attachment = call.attachment

    @property
    def metrics(self):
        """What is measured for the host that made the call."""
        return self._attachment.metrics

    def is_cancelled(self, _):
        """Tell whether the call was cancelled."""
        return self._call.is_cancelled

    def send_log(self, _, level, message, logger, fields):
        """Send a log record; fields that cannot be encoded are sent as text."""
        send_log(self._attachment, self._call, level, message, logger, fields)

    def send_progress(self, _, value):
        """Send progress. Raises Refusal if the value cannot be encoded."""
        encoded = self._attachment.values.encode(value, "progress")
        call = self._call
        if call.is_stream:
            if not call.is_ended:
                call.add_part(ProgressPart(encoded))
            return
        self._attachment.notify(call, lambda number: WorkerMessage(progress=Progress(call=number, value=body_of(encoded))), True)

    def send_event(self, _, name, data):
        """Send an event. Raises Refusal if the data cannot be encoded."""
        body = body_of(self._attachment.values.encode(data, "event"))
        self._attachment.notify(self._call, lambda number: WorkerMessage(event=Event(call=number, name=name, data=body)))

    def send_spans(self, batch):
        """Send spans that have ended; those that are too large are dropped."""
        try:
            body = body_of(self._attachment.values.encode(batch, "spans"))
        except Refusal:
            return
        self._attachment.notify(
            self._call, lambda number: WorkerMessage(event=Event(call=number, name="snakepit.spans", data=body))
        )

    def ask_host(self, _, method, args):
        """Ask the host and wait for the answer. Raises HostError if it refuses, Cancelled if it leaves."""
        return self.answer_of(self.begin_ask(None, method, args))

    def begin_ask(self, _, method, args):
        """Ask the host; `answer_of` waits for the answer."""
        return begin_ask(self._attachment, self._call.number, method, args, self._trace_header())

    def answer_of(self, answer):
        """What the host answered, once it has. Raises HostError if it refused, Cancelled if it has left."""
        return self._attachment.host_calls.read(answer.wait())

    async def ask_host_async(self, _, method, args):
        """Ask the host and await the answer. Raises HostError if it refuses, Cancelled if it leaves."""
        return await ask_host_async(self._attachment, self._call.number, method, args, self._trace_header())

    def _trace_header(self):
        """The span that asks; None for a call that is not sampled."""
        trace = self._call.call_trace
        return None if trace is None else trace.header

    @staticmethod
    def allocate(_, count):
        """Writable memory for a result; there is no arena over gRPC."""
        return memoryview(bytearray(count))


def send_log(attachment, call, level, message, logger, fields):
    """Send a log record in the name of a call, or of none (None), unless there are too many."""
    if attachment.log_gate.admits():
        send_record(attachment, call, level, message, logger, fields)


def send_record(attachment, call, level, message, logger, fields):
    """Send a log record past the gate."""
    body = _fields_body(attachment.values, fields)
    record = {"level": level, "message": printable(clipped(message)), "logger": logger}
    attachment.notify(call, lambda number: WorkerMessage(log=Log(call=number, fields=body, **record)))


def begin_ask(attachment, call_number, method, args, trace=None):
    """Ask a host and return its Answer, to be waited for."""
    answer = Answer()
    attachment.host_calls.ask(call_number, method, args, answer, trace)
    return answer


def ask_host(attachment, call_number, method, args, trace=None):
    """Ask a host and wait for the answer."""
    return attachment.host_calls.read(begin_ask(attachment, call_number, method, args, trace).wait())


async def ask_host_async(attachment, call_number, method, args, trace=None):
    """Ask a host and await the answer."""
    from asyncio import get_running_loop

    loop = get_running_loop()
    future = loop.create_future()

    def settle(reply):
        if not future.done():
            future.set_result(reply)

    def on_answer(reply):
        try:
            loop.call_soon_threadsafe(settle, reply)
        except RuntimeError:
            pass  # the event loop was closed by a command that does not wait any more

    attachment.host_calls.ask(call_number, method, args, on_answer, trace)
    return attachment.host_calls.read(await future)


def _fields_body(values, fields):
    if not fields:
        return None
    try:
        body = body_of(values.encode(fields, "log"))
    except Refusal:
        body = None
    if body is None or body.ByteSize() > MAX_FIELDS_BYTES:
        return body_of(values.encode(as_texts(fields), "log"))
    return body
