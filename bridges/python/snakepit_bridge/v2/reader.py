"""Reads frames from the socket."""

import socket

from ..errors import HostGone, ProtocolError
from .frame import (
    CALL,
    DEADLINE,
    FLAG_DEADLINE,
    FLAG_STREAM,
    HEADER_BYTES,
    OPENING,
    aux_of,
    call_of,
    flags_of,
    head_of,
    missing_deadline,
)
from .heap import keep_freed_memory

# Most workers never fill more than the first: memory that is not touched is not taken.
_FIRST_BUFFER_BYTES = 16 * 1024
_BUFFER_BYTES = 256 * 1024
_DEADLINE_BYTES = DEADLINE.size
_KIND_AND_STREAM = head_of(0xFF, FLAG_STREAM, 0)
_PLAIN_CALL = head_of(CALL, 0, 0)
_DEADLINE = head_of(0, FLAG_DEADLINE, 0)


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
        self._set_buffer(_FIRST_BUFFER_BYTES)
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

        Calls that take no stream go to `on_call` as CallQueue holds them, all other frames to
        `on_other(kind, flags, aux, id, body, received)`. Raises ProtocolError.
        """
        if self._large is not None:
            self._parse_large(on_call, on_other, received)
        buffer, start, end = self._buffer, self._start, self._end
        last, limit = end - HEADER_BYTES, self.max_frame_bytes
        unpack, header_bytes, deadline_bytes = OPENING.unpack_from, HEADER_BYTES, _DEADLINE_BYTES
        kind_and_stream, plain_call, deadline = _KIND_AND_STREAM, _PLAIN_CALL, _DEADLINE
        try:
            while start <= last:
                length, head, call_id, milliseconds = unpack(buffer, start)
                begin = start + header_bytes
                stop = begin + length
                if stop > end or length > limit:
                    start = self._leave(start, end, length)
                    break
                start = stop
                if head & kind_and_stream == plain_call:
                    if head & deadline:
                        begin += deadline_bytes
                        if begin > stop:
                            raise missing_deadline()
                    on_call((call_id, head, buffer[begin:stop], received, milliseconds))
                else:
                    on_other(head >> 24, head >> 16 & 0xFF, head & 0xFFFF, call_id, buffer[begin:stop], received)
        finally:
            if start == end:
                start = end = 0
            self._start, self._end = start, end

    def _leave(self, start, end, length):
        """Leave the rest for later, as the frame in it is not complete; returns where it starts. Raises ProtocolError."""
        if length > self.max_frame_bytes:
            raise ProtocolError("a frame of %d bytes exceeds maxFrameBytes of %d" % (length, self.max_frame_bytes))
        if HEADER_BYTES + length <= _BUFFER_BYTES:
            return start
        self._begin_large(start, end, HEADER_BYTES + length)
        return end

    def _free_space(self):
        if self._end == len(self._view):
            self._make_room()
        return self._view[self._end :]

    def _make_room(self):
        rest = bytes(self._view[self._start : self._end])
        if len(self._view) < _BUFFER_BYTES:
            self._set_buffer(min(4 * len(self._view), _BUFFER_BYTES))
        self._view[: len(rest)] = rest
        self._start, self._end = 0, len(rest)

    def _set_buffer(self, size):
        self._buffer = bytearray(size + OPENING.size - HEADER_BYTES)  # so that any header can be read as an opening
        self._view = memoryview(self._buffer)[:size]

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
        _, head, call_id, _ = OPENING.unpack_from(frame)
        body = memoryview(frame)[HEADER_BYTES:]  # whoever cuts a piece off a view copies nothing
        if head & _KIND_AND_STREAM == _PLAIN_CALL:
            on_call(call_of(head, call_id, body, received))
        else:
            on_other(head >> 24, flags_of(head), aux_of(head), call_id, body, received)
