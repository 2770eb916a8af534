"""Reads frames from the socket."""

import socket

from ..errors import HostGone, ProtocolError
from .frame import CALL, FLAG_STREAM, HEADER, HEADER_BYTES
from .heap import keep_freed_memory

# Most workers never fill more than the first: memory that is not touched is not taken.
_FIRST_BUFFER_BYTES = 16 * 1024
_BUFFER_BYTES = 256 * 1024


class FrameReader:
    """Splits what arrives into frames; the caller makes sure that one thread reads at a time.

        buffer   |....parsed....|----unparsed----|      free      |
                                ^start           ^end

    The buffer grows to 256 KB as what arrives at once fills it. A frame that does not fit then is received into memory of
    exactly its own size, and its body is a memoryview.
    """

    def __init__(self, sock, max_frame_bytes):
        self.max_frame_bytes = max_frame_bytes
        self._socket = sock
        self._buffer = bytearray(_FIRST_BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._start = 0
        self._end = 0
        self._large = None
        self._large_filled = 0
        self._has_large = False

    def receive(self, is_blocking):
        """Take in what the socket has, in one system call; False if there was nothing. Raises HostGone at its end."""
        if self._large is None:
            target = self._free_space()
        else:
            target = memoryview(self._large)[self._large_filled :]
        try:
            count = self._socket.recv_into(target, 0, 0 if is_blocking else socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except ConnectionError:
            raise HostGone from None
        if count == 0:
            raise HostGone
        if self._large is None:
            self._end += count
        else:
            self._large_filled += count
        return True

    def parse(self, on_call, on_other, received):
        """Hand over every complete frame in order of arrival.

        Calls that take no stream go to `on_call` as `(id, command index, flags, body, received)`, all other frames to
        `on_other(kind, flags, aux, id, body, received)`. Raises ProtocolError.
        """
        if self._large is not None:
            self._parse_large(on_call, on_other, received)
        buffer, start, end = self._buffer, self._start, self._end
        limit = self.max_frame_bytes
        unpack = HEADER.unpack_from
        try:
            while end - start >= HEADER_BYTES:
                length, kind, flags, aux, call_id = unpack(buffer, start)
                body = start + HEADER_BYTES
                stop = body + length
                if stop > end:
                    if length > limit:
                        raise ProtocolError("a frame of %d bytes exceeds maxFrameBytes of %d" % (length, limit))
                    if HEADER_BYTES + length > _BUFFER_BYTES:
                        self._begin_large(start, end, HEADER_BYTES + length)
                        start = end
                    break
                if length > limit:
                    raise ProtocolError("a frame of %d bytes exceeds maxFrameBytes of %d" % (length, limit))
                start = stop
                if kind == CALL and not flags & FLAG_STREAM:
                    on_call((call_id, aux, flags, buffer[body:stop], received))
                else:
                    on_other(kind, flags, aux, call_id, buffer[body:stop], received)
        finally:
            if start == end:
                start = end = 0
            self._start, self._end = start, end

    def _free_space(self):
        if self._end == len(self._buffer):
            self._make_room()
        return self._view[self._end :]

    def _make_room(self):
        rest = bytes(self._view[self._start : self._end])
        if len(self._buffer) < _BUFFER_BYTES:
            self._buffer = bytearray(min(4 * len(self._buffer), _BUFFER_BYTES))
            self._view = memoryview(self._buffer)
        self._view[: len(rest)] = rest
        self._start, self._end = 0, len(rest)

    def _begin_large(self, start, end, size):
        if not self._has_large:
            self._has_large = True
            keep_freed_memory()
        self._large = bytearray(size)
        self._large_filled = end - start
        self._large[: end - start] = self._view[start:end]

    def _parse_large(self, on_call, on_other, received):
        if self._large_filled < len(self._large):
            return
        frame, self._large = self._large, None
        _, kind, flags, aux, call_id = HEADER.unpack_from(frame)
        body = memoryview(frame)[HEADER_BYTES:]  # whoever cuts a piece off a view copies nothing
        if kind == CALL and not flags & FLAG_STREAM:
            on_call((call_id, aux, flags, body, received))
        else:
            on_other(kind, flags, aux, call_id, body, received)
