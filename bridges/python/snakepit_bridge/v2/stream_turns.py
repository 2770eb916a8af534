"""Lets the streams of synchronous generators take turns."""

from collections import deque
from time import perf_counter

from .stream import Stream

_TURNS_SECONDS = 0.0005


class StreamTurns:
    """The streams of this worker; the reading thread registers, credits and cancels them, the main thread runs them.

    A stream is registered before its command starts, so that credit and cancellation always find it. One without credit is parked:
    it is in `runnable` no more, until credit or a cancellation arrives.
    """

    def __init__(self, parts):
        self.runnable = deque()
        self.credit = parts.stream_credit
        self._streams = {}
        self._replies = parts.replies
        self._writer = parts.writer
        self._reading = parts.intake.reading
        self._open_calls = parts.open_calls

    def __len__(self):
        return len(self._streams)

    def register(self, call_id, credit=None):
        """Note that this call will stream; `credit` is that of the hello, unless given."""
        self._streams[call_id] = Stream(call_id, self.credit if credit is None else credit)

    def forget(self, call_id):
        """The call is answered, or goes another way."""
        self._streams.pop(call_id, None)

    def is_cancelled(self, call_id):
        """Tell whether this stream was cancelled; None if it is no stream."""
        stream = self._streams.get(call_id)
        return None if stream is None else stream.is_cancelled

    def start(self, call_id, values):
        """Let a stream run from now on. Raises Refusal if its values cannot be iterated."""
        stream = self._streams[call_id]
        stream.start(values)
        self.runnable.append(stream)

    def grant(self, call_id, chunks):
        """Add credit; False if the call is no stream of these. By the reading thread."""
        stream = self._streams.get(call_id)
        if stream is None:
            return False
        stream.granted += chunks
        self._unpark(stream)
        return True

    def cancel(self, call_id):
        """Mark a stream; False if the call is none of these. By the reading thread."""
        stream = self._streams.get(call_id)
        if stream is None:
            return False
        stream.is_cancelled = True
        self._unpark(stream)
        return True

    def run(self):
        """Let the runnable streams take turns, for a bounded time."""
        end = perf_counter() + _TURNS_SECONDS
        for _ in range(len(self.runnable)):
            stream = self.runnable.popleft()
            self._open_calls.running_id = stream.call_id
            if stream.is_cancelled:
                answer = stream.cancel(self._replies)
            else:
                answer = stream.advance(self._replies, self._writer)
            if answer is not None:
                self._streams.pop(stream.call_id)
                self._open_calls.end(stream.call_id, stream.failure)
                answer()
            elif stream.granted > stream.sent or not self._park(stream):
                self.runnable.append(stream)
            if perf_counter() > end:
                break

    def close_all(self):
        """Close every stream, so that its clean-up code runs; nothing is answered."""
        for stream in list(self._streams.values()):
            stream.close()

    def _park(self, stream):
        """Set a stream aside; False if credit or a cancellation came meanwhile."""
        with self._reading:
            stream.is_parked = stream.granted == stream.sent and not stream.is_cancelled
        return stream.is_parked

    def _unpark(self, stream):
        if stream.is_parked:
            stream.is_parked = False
            self.runnable.append(stream)
