"""Builds the frames that answer calls."""

from ..errors import (
    FRAME_TOO_LARGE,
    INVALID_RESULT,
    Refusal,
    UnencodableValue,
    error_data,
    error_map,
    refusal_map,
)
from .frame import CHUNK, END, ERROR, RESULT

MAX_SERVICE_TIME = 65535
_MAX_TEXT = 8192


class Replies:
    """Adds answers to the writer; each ends its call, save `chunk`. Service times are in seconds."""

    def __init__(self, writer, codec, max_frame_bytes):
        self._writer = writer
        self._codec = codec
        self._max_frame_bytes = max_frame_bytes

    def encode(self, value, root="result", in_arena=False):
        """Encode what a command made, as `(flags, bytes)`. Raises Refusal where that is impossible.

        What is encoded with `in_arena` must be sent: only the host frees its place there.
        """
        try:
            flags, body = self._codec.encode_apart(value, root, in_arena)
        except UnencodableValue as error:
            raise Refusal(INVALID_RESULT, str(error)) from None
        self._check_size(body, root)
        return flags, body

    def result(self, call_id, value, seconds):
        """Answer by RESULT, or by ERROR if the value cannot be sent."""
        try:
            encoded = self.encode(value, in_arena=True)
        except Refusal as refusal:
            self.error(call_id, refusal, seconds)
        else:
            self.encoded(call_id, encoded, seconds)

    def encoded(self, call_id, encoded, seconds):
        """Answer by RESULT with `(flags, bytes)`, or by ERROR if that is too large."""
        flags, body = encoded
        try:
            self._check_size(body, "result")
        except Refusal as refusal:
            self.error(call_id, refusal, seconds)
        else:
            self._writer.add(RESULT, call_id, flags, service_time(seconds), body)

    def chunk(self, call_id, value):
        """Send one value of a stream. Raises Refusal if it cannot be sent."""
        flags, body = self.encode(value, "chunk", in_arena=True)
        self._writer.add(CHUNK, call_id, flags, 0, body)

    def end(self, call_id, seconds):
        """Answer by END."""
        self._writer.add(END, call_id, 0, service_time(seconds))

    def error(self, call_id, error, seconds=0.0):
        """Answer by ERROR for an exception."""
        described = error_map(error)
        data = error_data(error)
        if data is not None:
            self._attach(described, data)
        self._send_error(call_id, described, seconds)

    def refuse(self, call_id, code, message, started=None, seconds=0.0):
        """Answer by ERROR with a code of the protocol's."""
        self._send_error(call_id, refusal_map(code, message, started), seconds)

    def _check_size(self, body, root):
        if len(body) > self._max_frame_bytes:
            raise Refusal(
                FRAME_TOO_LARGE,
                "the %s takes %d bytes, more than maxFrameBytes of %d; stream it in parts"
                % (root, len(body), self._max_frame_bytes),
            )

    def _attach(self, described, data):
        try:
            flags, body = self._codec.encode_apart(data, "data")
        except Exception:
            return  # data is a courtesy; what cannot be sent is left out
        if len(body) <= self._max_frame_bytes // 2:
            described["data"] = data

    def _send_error(self, call_id, described, seconds):
        flags, body = self._codec.encode_apart(described, "error")
        if len(body) > self._max_frame_bytes:
            described = {key: _shorten(value) for key, value in described.items() if key not in ("data", "traceback")}
            flags, body = self._codec.encode_apart(described, "error")
        self._writer.add(ERROR, call_id, flags, service_time(seconds), body)


def service_time(seconds):
    """A duration as the header carries it: microseconds, 65535 for that or more."""
    microseconds = int(seconds * 1e6)
    return microseconds if microseconds < MAX_SERVICE_TIME else MAX_SERVICE_TIME


def _shorten(value):
    return value[:_MAX_TEXT] + "…" if isinstance(value, str) and len(value) > _MAX_TEXT else value
