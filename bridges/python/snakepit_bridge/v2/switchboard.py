"""Brings each frame to whom it concerns."""

import struct

from ..errors import CANCELLED, ProtocolError
from .frame import (
    CALL,
    CANCEL,
    CREDIT,
    HOST_ERROR,
    HOST_RESULT,
    PING,
    PONG,
    RELEASE,
    SESSION_CLOSED,
    SHUTDOWN,
    call_of,
    head_of,
)


class Switchboard:
    """What a reading thread does with frames; it holds `Intake.reading` meanwhile, and runs no command.

    `on_call` takes calls that want no stream. While nothing runs side by side it is the queue's own method, so that the commonest
    frame costs no call of Python's.
    """

    def __init__(self, parts):
        self._queue = parts.queue
        self._streams = parts.streams
        self._runners = (parts.async_runner, parts.thread_runner)
        self._call_runner = parts.call_runner
        self._host_calls = parts.host_calls
        self._replies = parts.replies
        self._writer = parts.writer
        self._arena = parts.arena
        self._stop = parts.stop
        self.on_call = self._route if parts.call_runner.has_concurrent else parts.queue.waiting.append

    def on_other(self, kind, flags, aux, call_id, body, received):
        """Handle any frame but a CALL without stream. Raises ProtocolError."""
        if kind == CREDIT:
            self._grant(call_id, aux)
        elif kind == CANCEL:
            self._cancel(call_id)
        elif kind == PING:
            self._writer.add(PONG, call_id)
        elif kind == CALL:
            self._accept_stream(call_of(head_of(kind, flags, aux), call_id, body, received))
        elif kind in (HOST_RESULT, HOST_ERROR):
            self._host_calls.settle(kind, flags, call_id, body)
        elif kind == SESSION_CLOSED:
            self._queue.waiting.append(call_of(head_of(kind, flags, 0), 0, body, received))
        elif kind == RELEASE:
            self._release(body)
        elif kind == SHUTDOWN:
            self._stop()
        elif kind != PONG:
            raise ProtocolError("a frame of kind 0x%02x, which a worker does not take" % kind)

    def on_call_in_between(self, call):
        """Like `on_call`, while a command runs on the main thread."""
        self._queue.late_cancels.discard(call[0])
        self.on_call(call)

    def on_other_in_between(self, kind, flags, aux, call_id, body, received):
        """Like `on_other`, while a command runs on the main thread: it may be the one that is cancelled."""
        if kind != CANCEL:
            self.on_other(kind, flags, aux, call_id, body, received)
        elif not self._cancel(call_id):
            self._queue.late_cancels.add(call_id)

    def forget_late_cancels(self):
        """No command is running any more: ids that nobody knew are of calls that had ended."""
        self._queue.late_cancels.clear()

    def _route(self, call):
        """What runs elsewhere starts at once, even while the main thread is busy."""
        if not self._call_runner.begin_concurrent(call):
            self._queue.waiting.append(call)

    def _accept_stream(self, call):
        if not self._call_runner.is_concurrent(call):
            self._streams.register(call[0])
        self.on_call(call)

    def _grant(self, call_id, chunks):
        if self._streams.grant(call_id, chunks):
            return
        for runner in self._runners:
            call = runner.calls.get(call_id)
            if call is not None:
                runner.grant(call, chunks)

    def _cancel(self, call_id):
        """Cancel a call that waits, streams or runs beside others; False if it is none of these."""
        if self._queue.take_out(call_id):
            self._streams.forget(call_id)
            self._replies.refuse(call_id, CANCELLED, "the call was cancelled before it began", started=False)
            return True
        if self._streams.cancel(call_id):
            return True
        for runner in self._runners:
            call = runner.calls.get(call_id)
            if call is not None:
                runner.cancel(call)
                return True
        return False

    def _release(self, body):
        """The host has read these slices of the arena."""
        if self._arena is None or len(body) % 8:
            raise ProtocolError("a release that makes no sense")
        self._arena.release(struct.unpack(">%dQ" % (len(body) // 8), body))
