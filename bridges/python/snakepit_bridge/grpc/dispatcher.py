"""Brings calls to the thread that runs them, and cancelling and credit after them. On the gRPC thread."""

from ..errors import CANCELLED


class Dispatcher:
    """Knows where a call is: waiting, streaming, running, or asynchronous."""

    def __init__(self, parts):
        self._command_thread = parts.command_thread
        self._waiting = parts.command_thread.waiting
        self._streams = parts.streams
        self._reading = parts.intake.reading
        self._async = parts.async_runner
        self._answers = parts.replies

    def submit(self, call):
        """Start a call. Asynchronous commands do so at once, even while the main thread is busy, unless a hook comes first."""
        attachment, command = call.attachment, call.command
        if command is not None and command.is_async and not (attachment.hooks.has_any and call.session_id):
            self._command_thread.submit_async(call)
            return
        if call.is_stream:
            self._streams.register(call, attachment.stream_credit)
        self._command_thread.add(call)

    def cancel(self, call):
        """End a call soon: one that waits, at once; a stream, at its current chunk; any other sees it in its context."""
        if call.is_cancelled or call.outcome is not None:
            return
        call.is_cancelled = True
        if self._take_out(call):
            self._streams.forget(call)
            self._answers.refuse(call, CANCELLED, "the call was cancelled before it began", started=False)
            return
        with self._reading:
            is_stream = self._streams.cancel(call)
        if is_stream:
            self._command_thread.wake()
        else:
            self._command_thread.cancel_async(call)

    def grant(self, call, chunks):
        """Let a stream send more."""
        with self._reading:
            is_granted = self._streams.grant(call, chunks)
        if is_granted:
            self._command_thread.wake()
            return
        held = self._async.calls.get(call)
        if held is not None:
            self._async.grant(held, chunks)

    def _take_out(self, call):
        """Remove a call that has not begun; False where the main thread has just begun it."""
        try:
            self._waiting.remove(call)
        except ValueError:
            return False
        return True
