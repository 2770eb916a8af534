"""What the caller of a command sends it while it runs."""

import io

_CHUNK_BYTES = 256 * 1024
_METHOD = "input.read"


class CallInput(io.RawIOBase):
    """The bytes that a call was given as its input: a binary file that can be read once, from its beginning to its end.

    Nothing is sent before it is asked for, and one chunk of at most 256 KB is on its way while the one before it is worked on, so that
    an input may be larger than memory. Iterating gives lines, as with any file; `chunks()`, and `async for`, give bytes as they
    come. Reading raises HostError: of code INVALID_ARGUMENTS where the call has no input, CANCELLED where whoever sends
    it has left, INPUT_FAILED where its source broke. One thread, or one task, reads it.
    """

    def __init__(self, runtime, call_id):
        super().__init__()
        self._runtime = runtime
        self._call_id = call_id
        self._chunk = b""
        self._at = 0
        self._ahead = None
        self._is_at_end = False

    def readable(self):
        """True."""
        return True

    def chunks(self):
        """All that is left, as bytes of at most 256 KB."""
        while self._fill():
            yield self._rest()

    async def achunks(self):
        """Like `chunks`, for asynchronous commands."""
        while await self._afill():
            yield self._rest()

    def __aiter__(self):
        """Like `achunks`."""
        return self.achunks()

    async def aread(self, size=-1):
        """Like `read`, for asynchronous commands."""
        parts = []
        while size and await self._afill():
            size -= self._take(size, parts)
        return b"".join(parts)

    def read(self, size=-1):
        """Exactly `size` bytes, fewer only at the end; all that is left where it is negative or None."""
        size = -1 if size is None else size
        parts = []
        while size and self._fill():
            size -= self._take(size, parts)
        return b"".join(parts)

    def readall(self):
        """All that is left."""
        return self.read()

    def read1(self, size=-1):
        """At most `size` bytes of what has arrived; empty at the end only."""
        if not size or not self._fill():
            return b""
        parts = []
        self._take(-1 if size is None else size, parts)
        return parts[0]

    def readinto(self, buffer):
        """Fill the buffer with what has arrived; returns how many bytes, 0 at the end."""
        with memoryview(buffer).cast("B") as view:
            data = self.read1(len(view))
            view[: len(data)] = data
        return len(data)

    def readline(self, size=-1):
        """The next line with its line feed, at most `size` bytes of it."""
        size = -1 if size is None else size
        parts = []
        while size and self._fill():
            feed = self._chunk.find(b"\n", self._at)
            wanted = feed + 1 - self._at if feed >= 0 else -1
            if 0 < size and (wanted < 0 or size < wanted):
                wanted, feed = size, -1
            size -= self._take(wanted, parts)
            if feed >= 0:
                break
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _take(self, size, parts):
        """Move at most `size` bytes of the chunk, or all of it, to the parts; returns how many."""
        begin = self._at
        end = len(self._chunk) if size < 0 else min(begin + size, len(self._chunk))
        whole = begin == 0 and end == len(self._chunk)
        parts.append(self._chunk if whole else self._chunk[begin:end])
        self._at = end
        return end - begin if size >= 0 else 0

    def _rest(self):
        """What is left of the chunk."""
        parts = []
        self._take(-1, parts)
        return parts[0]

    def _fill(self):
        """Tell whether the chunk holds bytes, after asking for the next one if it does not."""
        if self.closed:
            raise ValueError("I/O operation on a closed input")
        if self._at < len(self._chunk):
            return True
        if self._is_at_end:
            return False
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            ahead = self._ask()
        self._set_chunk(self._runtime.answer_of(ahead))
        if not self._is_at_end:
            self._ahead = self._ask()
        return not self._is_at_end

    async def _afill(self):
        """Like `_fill`, but nothing is asked for ahead: other tasks run meanwhile."""
        if self._ahead is not None:
            return self._fill()
        if self._at < len(self._chunk):
            return True
        if not self._is_at_end:
            self._set_chunk(await self._runtime.ask_host_async(self._call_id, _METHOD, {"maxBytes": _CHUNK_BYTES}))
        return not self._is_at_end

    def _ask(self):
        return self._runtime.begin_ask(self._call_id, _METHOD, {"maxBytes": _CHUNK_BYTES})

    def _set_chunk(self, chunk):
        self._is_at_end = chunk is None
        self._chunk, self._at = chunk or b"", 0
