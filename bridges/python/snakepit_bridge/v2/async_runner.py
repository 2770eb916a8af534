"""Runs asynchronous commands side by side, in an event loop on a thread of its own."""

import asyncio
import threading
from functools import partial
from time import perf_counter

from ..command import STREAM
from ..current_call import current_call
from ..doorbell import Doorbell
from ..errors import CANCELLED, Cancelled, ProtocolError, Refusal
from ..process import complain, end_by_protocol_error

class AsyncCall:
    """One asynchronous call; `credit` counts the chunks that it may still send. The event loop's thread owns it."""

    __slots__ = ("call_id", "command", "prepare", "is_stream", "credit", "is_cancelled", "has_begun", "task", "began", "granted")

    def __init__(self, call_id, command, prepare, is_stream, credit):
        self.call_id = call_id
        self.command = command
        self.prepare = prepare
        self.is_stream = is_stream
        self.credit = credit
        self.is_cancelled = False
        self.has_begun = False
        self.task = None
        self.began = 0.0
        self.granted = None


class AsyncRunner:
    """Takes calls from the reading thread and answers them from the event loop's thread."""

    def __init__(self, parts, exit_process):
        self.calls = {}
        self._replies = parts.replies
        self._writer = parts.writer
        self._on_end = parts.open_calls.end
        self._exit_process = exit_process
        self._is_flush_due = False
        self.loop = asyncio.new_event_loop()
        self._submitted = Doorbell(self.loop, self._begin)
        self.thread_id = None  # of the event loop's, once it runs
        self.thread = threading.Thread(target=self._run, name="snakepit-async", daemon=True)

    def start(self):
        """Start the thread."""
        self.thread.start()

    def submit(self, call):
        """Start a call soon. From any thread."""
        self.calls[call.call_id] = call
        self._submitted.ring(call)

    def cancel(self, call):
        """Cancel a call soon. From any thread."""
        call.is_cancelled = True
        self.loop.call_soon_threadsafe(self._cancel, call)

    def grant(self, call, chunks):
        """Let a stream send more. From any thread."""
        self.loop.call_soon_threadsafe(self._grant, call, chunks)

    def run_hook(self, coroutine):
        """Run a coroutine and wait for its result. From any thread but the loop's."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def cancel_all(self, timeout_seconds):
        """Cancel what runs and wait for its clean-up code. From any thread but the loop's."""
        if not self.thread.is_alive():
            return
        try:
            asyncio.run_coroutine_threadsafe(self._cancel_all(timeout_seconds), self.loop).result(2 * timeout_seconds)
        except Exception:
            complain("asynchronous commands did not end in time")

    def stop(self, timeout_seconds):
        """End the thread."""
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join(timeout_seconds)

    def flush_soon(self):
        """Send what was added after what the event loop has ready. From the loop's thread."""
        if not self._is_flush_due:
            self._is_flush_due = True
            self.loop.call_soon(self._flush)

    def _run(self):
        self.thread_id = threading.get_ident()
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        except SystemExit as ending:
            self._exit_process(ending)

    def _flush(self):
        self._is_flush_due = False
        self._writer.flush()

    def _begin(self, call):
        call.task = self.loop.create_task(self._serve_stream(call) if call.is_stream else self._serve(call))
        call.task.add_done_callback(lambda task: self._finish(call, task))

    def _cancel(self, call):
        if call.call_id in self.calls and call.task is not None:
            call.task.cancel()

    def _grant(self, call, chunks):
        call.credit += chunks
        if call.granted is not None and not call.granted.done():
            call.granted.set_result(None)

    async def _serve(self, call):
        self._enter(call)
        result = call.prepare()
        return await result if hasattr(result, "__await__") else result

    async def _serve_stream(self, call):
        self._enter(call)
        if call.command.kind != STREAM:
            value = call.prepare()
            await self._send_chunk(call, await value if hasattr(value, "__await__") else value)
            return
        values = call.prepare()
        try:
            iterator = values.__aiter__()
            while True:
                await self._credit(call)
                try:
                    value = await iterator.__anext__()
                except StopAsyncIteration:
                    return
                await self._send_chunk(call, value)
        finally:
            close = getattr(values, "aclose", None)
            if close is not None:
                await close()

    def _enter(self, call):
        call.has_begun = True
        call.began = perf_counter()
        current_call.set(call.call_id)

    async def _credit(self, call):
        while call.credit == 0:
            call.granted = self.loop.create_future()
            await call.granted

    async def _send_chunk(self, call, value):
        await self._credit(call)
        call.credit -= 1
        self._replies.chunk(call.call_id, value)
        self.flush_soon()

    def _finish(self, call, task):
        """Answer the call; the host may use its id again from then on."""
        seconds = perf_counter() - call.began if call.has_begun else 0.0
        answer = self._answer_of(call, task, seconds)
        del self.calls[call.call_id]
        self._on_end(call.call_id, _failure_of(task))
        answer()
        self.flush_soon()

    def _answer_of(self, call, task, seconds):
        """What sends the call's answer, as a function; a result is encoded already, while what it lies in is the call's."""
        if task.cancelled():
            return self._cancellation_of(call, seconds)
        error = task.exception()
        if isinstance(error, ProtocolError):
            end_by_protocol_error(error)
        if error is None and call.is_stream:
            return partial(self._replies.end, call.call_id, seconds)
        try:
            if error is None:
                encoded = self._replies.encode_result(call.call_id, task.result())
                return partial(self._replies.encoded, call.call_id, encoded, seconds)
        except Refusal as refusal:
            error = refusal
        return partial(self._replies.error, call.call_id, error, seconds)

    def _cancellation_of(self, call, seconds):
        if call.is_cancelled:
            return partial(self._replies.refuse, call.call_id, CANCELLED, "the call was cancelled", call.has_begun, seconds)
        return partial(self._replies.error, call.call_id, asyncio.CancelledError("the command cancelled itself"), seconds)

    async def _cancel_all(self, timeout_seconds):
        tasks = [call.task for call in self.calls.values() if call.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=timeout_seconds)
        self._writer.flush()


def _failure_of(task):
    """What a task has failed by, or None."""
    return Cancelled("the call was cancelled") if task.cancelled() else task.exception()
