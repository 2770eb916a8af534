"""The memory that host and worker share for large binary."""

import mmap
import os
import stat
import threading

from ..codec.address import address_of
from ..errors import ProtocolError
from ..process import complain
from .heap import keep_freed_memory
from .slices import SliceAllocator


class Arena:
    """One file, mapped once; the host writes its first half, this worker its second.

    A slice of the second half belongs to the worker while it is filled, and to the host from when a frame refers to it until
    the host releases it. A slice of the first half may be read until the call that it came with is answered.
    """

    def __init__(self, descriptor, size, threshold_bytes):
        self.threshold_bytes = threshold_bytes
        self._descriptor = descriptor
        self._half = size // 2
        self._mapping = memoryview(mmap.mmap(descriptor, size))
        self._readable = self._mapping.toreadonly()
        self._address = None
        self._allocator = SliceAllocator(self._half)
        self._touched = 0
        self._held = {}  # slices allocated by calls that run: start of the slice -> (end of what was asked for, call)
        self._sent = {}  # offset that the host knows -> start of its slice
        self._loans = {}  # call -> [(start, end, view)] in the host's half
        self._lock = threading.Lock()
        self._was_full = False

    @classmethod
    def accept(cls, offer):
        """The arena that the host offers in its hello; None if it offers none, or none that came down to this process."""
        if not isinstance(offer, dict):
            return None
        descriptor, size, threshold = (offer.get(key) for key in ("fd", "bytes", "thresholdBytes"))
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_size != size:
                return None
            os.set_inheritable(descriptor, False)
            keep_freed_memory()
            return cls(descriptor, size, int(threshold))
        except (OSError, TypeError, ValueError, OverflowError):
            return None

    def view(self, offset, length):
        """What the host refers to, read-only. Raises ProtocolError for what is not in its half."""
        if offset + length > self._half:
            raise ProtocolError("a reference to bytes %d to %d of the arena, which are not the host's" % (offset, offset + length))
        return self._readable[offset : offset + length]

    def lend(self, call_id, loan):
        """Note the views `[(offset, view)]` that a call's command gets to see."""
        if loan:
            spans = [(offset, offset + view.nbytes, view) for offset, view in loan]
            with self._lock:
                self._loans[call_id] = spans

    def allocate(self, call_id, count):
        """Writable memory for a result of a call that runs; None if there is no room."""
        with self._lock:
            start = self._take(count)
            if start is None:
                return None
            self._held[start] = (start + count, call_id)
        return self._mapping[self._half + start : self._half + start + count]

    def put(self, view):
        """Where the host finds these bytes, which are copied unless they lie in the arena already; None if there is no room."""
        offset = self._locate(view)
        if offset is not None:
            return offset
        with self._lock:
            start = self._take(view.nbytes)
            if start is None:
                return None
            offset = self._half + start
            self._sent[offset] = start
        self._mapping[offset : offset + view.nbytes] = view
        return offset

    def release(self, offsets):
        """Take back what the host has read, or was never told of. Raises ProtocolError for what it does not hold."""
        with self._lock:
            for offset in offsets:
                if offset < self._half:
                    continue  # a part of an argument, which the host holds by itself
                start = self._sent.pop(offset, None)
                if start is None:
                    raise ProtocolError("a release of byte %d of the arena, which was not sent" % offset)
                self._allocator.free(start)

    def end_call(self, call_id):
        """Take back what a call has allocated and not sent, and end its views of the host's half."""
        if not (self._held or self._loans):
            return
        with self._lock:
            for start in [start for start, (_, holder) in self._held.items() if holder == call_id]:
                del self._held[start]
                self._allocator.free(start)
            loans = self._loans.pop(call_id, ())
        for _, _, view in loans:
            _close(view)

    def _take(self, count):
        start = self._allocator.allocate(count)
        if start is None:
            return self._warn()
        if not self._touch(start + count):
            self._allocator.free(start)
            return self._warn()
        return start

    def _touch(self, end):
        """Have the system reserve pages: a write to one that it cannot find would end the process by SIGBUS."""
        if end > self._touched:
            try:
                os.posix_fallocate(self._descriptor, self._half + self._touched, end - self._touched)
            except OSError:
                return False
            self._touched = end
        return True

    def _locate(self, view):
        """The offset of bytes that lie in an argument or in allocated memory of a running call; else None."""
        if not (self._held or self._loans):
            return None
        if self._address is None:
            self._address = address_of(self._mapping)
        begin = address_of(view) - self._address
        end = begin + view.nbytes
        with self._lock:
            if any(start <= begin and end <= stop for spans in self._loans.values() for start, stop, _ in spans):
                return begin
            for start, (stop, _) in self._held.items():
                if self._half + start <= begin and end <= self._half + stop:
                    del self._held[start]
                    self._sent[begin] = start
                    return begin
        return None

    def _warn(self):
        if not self._was_full:
            self._was_full = True
            complain("the arena is full; large results go through the socket until there is room; raise 'arena.bytes'")


def _close(view):
    try:
        view.release()
    except BufferError:
        pass  # something is built on it, such as a numpy array, and may outlive the call
