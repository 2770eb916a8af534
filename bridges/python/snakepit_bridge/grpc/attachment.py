"""One host, from its hello to the end of its control stream."""

import threading
from collections import deque

from ..log_gate import LogGate
from ..metrics import METRICS_EVENT, Metrics
from ..v2.sessions import SessionHooks
from .call_runtime import ask_host, ask_host_async, send_record
from .generated.worker_pb2 import CallFailure, Event, Released, WorkerBatch, WorkerMessage
from .host_calls import HostCalls
from .outcome import abridge, fits_metadata
from .wire import body_of

_MAX_BATCH_BYTES = 64 * 1024
_MAX_LATE_CANCELS = 1024


class Attachment:
    """What one host and this worker have agreed on, the host's calls, and what is on its way to the host.

    `calls` and `late_cancels` belong to the gRPC thread. Messages come from any thread; the lock makes the number of notices that
    an answer tells the number of those that were sent.
    """

    def __init__(self, number, values, stream_credit, parts):
        self.number = number
        self.values = values
        self.stream_credit = stream_credit
        self.doorbell = parts.doorbell
        self.calls = {}
        self.is_open = True
        self.has_control_stream = True
        self.host_calls = HostCalls(self)
        self.hooks = SessionHooks(parts.manifest, _HookRuntime(self, parts.worker_runtime))
        self._late_cancels = {}
        self._outgoing = deque()
        self._lock = threading.RLock()  # a finalizer that logs may run within it
        self._waiter = None
        self.metrics = Metrics(self._send_metrics)
        self.log_gate = LogGate(lambda *record: send_record(self, None, *record))

    def send(self, message):
        """Send a message over the control stream. From any thread; dropped when the host has left."""
        if self.is_open:
            self._outgoing.append(message)
            self.doorbell.ring(self)

    def notify(self, call, make, is_progress=False):
        """Send `make(number)` in the name of a call, or of none; of one that has ended, progress is dropped and others lose the number."""
        with self._lock:
            if call is None or call.is_ended:
                if not is_progress:
                    self.send(make(0))
                return
            call.notices += 1
            self.send(make(call.number))

    def end_call(self, call, outcome):
        """Note that nothing may follow in the name of a call. A failure that metadata has no room for goes ahead of the answer."""
        failure = outcome.failure
        if self.metrics.is_due:
            self.metrics.flush(call)
        with self._lock:
            if failure is not None and not fits_metadata(failure) and call.has_rpc:
                failure.service_us = outcome.service_us
                call.notices += 1
                self.send(WorkerMessage(failure=CallFailure(call=call.number, failure=failure)))
                outcome.failure = abridge(failure)
            call.is_ended = True
            outcome.notices = call.notices

    def _send_metrics(self, entries, call):
        """In the name of a call whose answer follows, so that the host waits for them."""
        data = body_of(self.values.encode(entries, "event"))
        self.notify(call, lambda number: WorkerMessage(event=Event(call=number, name=METRICS_EVENT, data=data)))

    def part(self, call):
        """A call is being answered. One that was cancelled is released as well: its RPC may have ended on the way, which nobody tells
        the worker, and the host will not ask twice."""
        self.forget(call)
        if call.is_release_due:
            self.tell_released(call.number, call.outcome.service_us)

    def release(self, call):
        """Forget a call whose RPC had ended first, and tell the host. On the gRPC thread."""
        self.forget(call)
        self.tell_released(call.number, call.outcome.service_us)

    def tell_released(self, number, service_us=0):
        """Tell the host that the worker does not hold a call."""
        self.send(WorkerMessage(released=Released(call=number, service_us=service_us)))

    def hold(self, call):
        """A call has come. On the gRPC thread."""
        self.calls[call.number] = call

    def forget(self, call):
        """The call is over. On the gRPC thread."""
        if self.calls.get(call.number) is call:
            del self.calls[call.number]

    def note_late_cancel(self, number):
        """Remember the cancelling of a call that the worker does not hold: it may have yet to come."""
        late = self._late_cancels
        late.pop(number, None)
        late[number] = True
        if len(late) > _MAX_LATE_CANCELS:
            del late[next(iter(late))]

    def was_cancelled(self, number):
        """Tell, once, whether a call was cancelled before it came."""
        return self._late_cancels.pop(number, False)

    def close(self):
        """The host has left, or the worker ends. On the gRPC thread."""
        self.is_open = False
        self.host_calls.end()
        self.wake()

    def wake(self):
        """Something has come for the control stream. On the gRPC thread."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def send_batches(self, write, create_future):
        """Send what comes, until the attachment is closed and nothing is left."""
        while True:
            while self._outgoing:
                await write(self._take_batch())
            if not self.is_open:
                return
            self._waiter = create_future()
            await self._waiter

    def _take_batch(self):
        batch = WorkerBatch()
        size = 0
        while self._outgoing:
            message = self._outgoing[0]
            size += message.ByteSize()
            if size > _MAX_BATCH_BYTES and batch.messages:
                break
            batch.messages.append(message)
            self._outgoing.popleft()
        return batch


class _HookRuntime:
    """The worker as the hooks of one host's sessions see it."""

    def __init__(self, attachment, worker_runtime):
        self._attachment = attachment
        self.run_hook = worker_runtime.run_hook

    def ask_host(self, call_number, method, args):
        """Ask this host and wait for the answer."""
        return ask_host(self._attachment, call_number, method, args)

    async def ask_host_async(self, call_number, method, args):
        """Ask this host and await the answer."""
        return await ask_host_async(self._attachment, call_number, method, args)
