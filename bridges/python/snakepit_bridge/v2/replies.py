"""Builds the frames that answer calls."""

from ..encoder import Encoder
from ..errors import Refusal, error_data, error_map, refusal_map, shorten
from .frame import CHUNK, END, ERROR, RESULT

MAX_SERVICE_TIME = 65535


class Replies:
    """Adds answers to the writer; each ends its call, save `chunk`. Service times are in seconds."""

    def __init__(self, writer, codec, max_frame_bytes):
        self._writer = writer
        self._codec = codec
        self._max_frame_bytes = max_frame_bytes
        self._encoder = Encoder(codec, max_frame_bytes)
        self.encode = self._encoder.encode
        self.encode_host_call = self._encoder.encode_host_call

    def encode_result(self, call_id, value):
        """Encode the result of a call, as `(flags, bytes)`. Raises Refusal where that is impossible."""
        return self.encode(value, in_arena=True)

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
            self._encoder.check_size(body, "result")
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
        if self._encoder.encode_data(error) is not None:
            described["data"] = error_data(error)
        self._send_error(call_id, described, seconds)

    def refuse(self, call_id, code, message, started=None, seconds=0.0):
        """Answer by ERROR with a code of the protocol's."""
        self._send_error(call_id, refusal_map(code, message, started), seconds)


    def _send_error(self, call_id, described, seconds):
        flags, body = self._codec.encode_apart(described, "error")
        if len(body) > self._max_frame_bytes:
            described = shorten(described)
            flags, body = self._codec.encode_apart(described, "error")
        self._writer.add(ERROR, call_id, flags, service_time(seconds), body)


def service_time(seconds):
    """A duration as the header carries it: microseconds, 65535 for that or more."""
    microseconds = int(seconds * 1e6)
    return microseconds if microseconds < MAX_SERVICE_TIME else MAX_SERVICE_TIME
