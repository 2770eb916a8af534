"""Streams of synchronous generators, driven by the main loop."""

from functools import partial
from time import perf_counter

from ..errors import CANCELLED, INVALID_RESULT, Cancelled, HostGone, Refusal

_SLICE_CHUNKS = 32
_SLICE_SECONDS = 0.0001


class Stream:
    """One stream. The reading thread adds to `granted`, the main thread to `sent`; their difference is the credit.

    The reading thread registers it before the command starts, so that credit and cancellation always find it.
    """

    __slots__ = ("call_id", "granted", "sent", "is_parked", "is_cancelled", "iterator", "seconds", "is_slow", "failure")

    def __init__(self, call_id, credit):
        self.call_id = call_id
        self.granted = credit
        self.sent = 0
        self.is_parked = False
        self.is_cancelled = False
        self.iterator = None
        self.seconds = 0.0
        self.is_slow = False
        self.failure = None

    def start(self, values):
        """Take the iterator, or whatever can be iterated, that the command returned. Raises Refusal."""
        try:
            self.iterator = iter(values)
        except TypeError:
            raise Refusal(INVALID_RESULT, "the command is a stream, yet returned %s" % type(values).__name__) from None

    def advance(self, replies, writer):
        """Send some chunks within the credit and a slice of time; the answer of an ended stream, else None.

        The answer is a function to be called once the stream is forgotten, for the host may then use its id again.
        """
        slice_end = perf_counter() + _SLICE_SECONDS
        try:
            for _ in range(min(self.granted - self.sent, _SLICE_CHUNKS)):
                if self.is_slow and writer.out:
                    writer.flush()
                began = perf_counter()
                try:
                    value = next(self.iterator)
                finally:
                    now = perf_counter()
                    self.seconds += now - began
                self.is_slow = now - began > _SLICE_SECONDS
                replies.chunk(self.call_id, value)
                self.sent += 1
                if self.is_cancelled or now > slice_end:
                    break
        except StopIteration:
            return partial(replies.end, self.call_id, self.seconds)
        except (SystemExit, KeyboardInterrupt, HostGone):
            raise
        except BaseException as error:
            self.failure = error
            self.close()
            return partial(replies.error, self.call_id, error, self.seconds)
        return None

    def cancel(self, replies):
        """Close the generator, so that its clean-up code runs; returns the answer as `advance` does."""
        self.failure = Cancelled("the stream was cancelled")
        failure = self.close()
        note = "" if failure is None else "; its clean-up failed: %s: %s" % (type(failure).__name__, failure)
        return partial(replies.refuse, self.call_id, CANCELLED, "the stream was cancelled" + note, True, self.seconds)

    def close(self):
        """Close the generator; returns what its clean-up code raised, or None."""
        close = getattr(self.iterator, "close", None)
        if close is None:
            return None
        try:
            close()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            return error
        return None
