"""The RPCs of `snakepit.v2.Worker`, on the gRPC thread."""

import asyncio

from grpc import StatusCode
from grpc.aio import EOF

from ..errors import CANCELLED, StartupError
from . import outcome as outcomes
from .calls import Call
from .control import take_batch
from .generated.worker_pb2 import CallReply, StreamEnd, StreamItem, WorkerMessage
from .hello import agree, answer_hello
from .outcome import Outcome, refusal
from .stream_parts import MAX_ITEM_BYTES, take_item
from .values import TAGGED


class WorkerService:
    """Takes calls in and sends their outcomes; `is_alone` says that one host has started this worker, and no other may attach."""

    def __init__(self, parts, is_alone, on_shutdown):
        self.is_admitting = True
        self._is_alone = is_alone
        self._on_shutdown = on_shutdown
        self._commands = parts.manifest.commands
        self._by_name = parts.manifest.by_name
        self._manifest = parts.manifest
        self._limits = parts.limits
        self._attachments = parts.attachments
        self._dispatcher = parts.dispatcher
        self._command_thread = parts.command_thread
        self._runtime = parts.worker_runtime
        self._create_future = asyncio.get_running_loop().create_future

    async def execute(self, request, context):
        """Run a command and answer with its result."""
        call = await self._admit(request, context, is_stream=False)
        call.waiter = self._create_future()
        self._dispatcher.submit(call)
        try:
            await call.waiter
        except asyncio.CancelledError:
            self._lose(call)
            raise
        call.attachment.part(call)
        outcome = call.outcome
        if outcome.failure is not None:
            await outcomes.abort(context, outcome)
        flags, body = outcome.encoded
        reply = CallReply(body=body, service_us=outcome.service_us, notices=outcome.notices)
        if flags & TAGGED:
            reply.tagged = True
        return reply

    async def execute_stream(self, request, context):
        """Run a command as a stream."""
        call = await self._admit(request, context, is_stream=True)
        self._dispatcher.submit(call)
        try:
            await self._send_items(call, context)
        except BaseException:
            self._lose(call)
            raise
        call.attachment.part(call)
        if call.outcome.failure is not None:
            await outcomes.abort(context, call.outcome)

    async def attach(self, _, context):
        """Serve a control stream."""
        first = await context.read()
        hello = first.messages[0].hello if first is not EOF and first.messages and first.messages[0].HasField("hello") else None
        attachment = await self._create_attachment(hello, context)
        attachment.send(WorkerMessage(hello=answer_hello(hello, attachment, self._manifest, self._limits)))
        self._attachments.add(attachment)
        self._runtime.send_kept(attachment)
        sending = asyncio.ensure_future(attachment.send_batches(context.write, self._create_future))
        reading = asyncio.ensure_future(self._read_batches(attachment, first.messages[1:], context))
        try:
            await asyncio.wait((sending, reading), return_when=asyncio.FIRST_COMPLETED)
            self._attachments.end(attachment)
            await sending
        finally:
            reading.cancel()
            sending.cancel()
            self._attachments.end(attachment)
            await asyncio.gather(sending, reading, return_exceptions=True)

    def take_cancel(self, attachment, number):
        """A host wants a call to end."""
        call = attachment.calls.get(number)
        if call is None:
            attachment.note_late_cancel(number)
            attachment.tell_released(number)
        elif call.outcome is not None:
            attachment.tell_released(number, call.outcome.service_us)
        else:
            call.is_release_due = True
            self._dispatcher.cancel(call)

    def take_credit(self, attachment, number, chunks):
        """A host's consumer has taken chunks."""
        call = attachment.calls.get(number)
        if call is not None:
            self._dispatcher.grant(call, chunks)

    def take_shutdown(self):
        """A host wants the worker to end, which only the one that has started it may."""
        if self._is_alone:
            self._on_shutdown()

    async def _admit(self, request, context, is_stream):
        """Make a call of a request, or end the RPC."""
        attachment = self._attachments.find(request.attachment)
        number = request.id
        if not self.is_admitting:
            await context.abort(StatusCode.UNAVAILABLE, "the worker is shutting down")
        if attachment is None:
            await context.abort(StatusCode.FAILED_PRECONDITION, "no attachment has the number %d" % request.attachment)
        command = self._find(request)
        wants_deadline = command is None or command.takes_context
        call = Call(attachment, number, request, command, is_stream, context.time_remaining() if wants_deadline else None)
        if attachment.has_control_stream:
            if not number or number in attachment.calls:
                await context.abort(StatusCode.INVALID_ARGUMENT, "the id %d is 0, or is that of another call" % number)
            if attachment.was_cancelled(number):
                failure = refusal(CANCELLED, "the call was cancelled before it came", started=False)
                await outcomes.abort(context, Outcome(0.0, failure=failure))
        attachment.hold(call)
        return call

    def _find(self, request):
        """The command of a request; None where the manifest does not list it."""
        if request.command_name:
            return self._by_name.get(request.command_name)
        return self._commands[request.command] if request.command < len(self._commands) else None

    def _lose(self, call):
        call.lose_rpc()
        self._dispatcher.cancel(call)

    async def _send_items(self, call, context):
        """Send what a stream makes, and its end; of what is ready together, up to 64 KB go into one item."""
        parts, write = call.parts, context.write
        max_bytes = min(MAX_ITEM_BYTES, call.values.max_frame_bytes)
        is_detached = not call.attachment.has_control_stream
        while True:
            outcome = call.outcome  # before the parts, which come before it
            item = take_item(parts, max_bytes) if parts else None
            if outcome is not None and not parts:
                if outcome.failure is None:
                    item = item or StreamItem()
                    item.end.CopyFrom(StreamEnd(service_us=outcome.service_us, notices=outcome.notices))
                if item is not None:
                    await write(item)
                return
            if item is not None:
                await write(item)
                if is_detached:
                    self._dispatcher.grant(call, len(item.chunks))
                continue
            call.waiter = self._create_future()
            await call.waiter

    async def _create_attachment(self, hello, context):
        """Agree with a host, or end the RPC."""
        if hello is None:
            await context.abort(StatusCode.FAILED_PRECONDITION, "a control stream must begin with a hello")
        if self._is_alone and len(self._attachments):
            await context.abort(StatusCode.FAILED_PRECONDITION, "this worker has a host already, the one that has started it")
        if not self.is_admitting:
            await context.abort(StatusCode.UNAVAILABLE, "the worker is shutting down")
        try:
            return self._attachments.create(*agree(hello, self._limits))
        except StartupError as error:
            await context.abort(StatusCode.FAILED_PRECONDITION, str(error))

    async def _read_batches(self, attachment, first, context):
        messages = first
        while True:
            take_batch(self, attachment, messages, self._command_thread)
            batch = await context.read()
            if batch is EOF:
                return
            messages = batch.messages
