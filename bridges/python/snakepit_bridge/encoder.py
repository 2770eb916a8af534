"""What commands made, as bodies within the connection's limits."""

from .batching import BatchAnswer
from .errors import FRAME_TOO_LARGE, INVALID_RESULT, Refusal, UnencodableValue, error_data


class Encoder:
    """Encodes values by a codec; no body takes more than `max_frame_bytes`."""

    def __init__(self, codec, max_frame_bytes):
        self._codec = codec
        self.max_frame_bytes = max_frame_bytes

    def encode(self, value, root="result", in_arena=False):
        """Encode what a command made, as `(flags, bytes)`. Raises Refusal where that is impossible.

        What is encoded with `in_arena` must be sent: only the host frees its place there.
        """
        if type(value) is BatchAnswer:
            return value.encode(self, in_arena)
        return self.encode_value(value, root, in_arena)

    def encode_value(self, value, root="result", in_arena=False):
        """The same for what is no batch's answer."""
        try:
            flags, body = self._codec.encode_apart(value, root, in_arena)
        except UnencodableValue as error:
            raise Refusal(INVALID_RESULT, str(error)) from None
        self.check_size(body, root)
        return flags, body

    def encode_host_call(self, method, args, call_id, trace=None):
        """Encode a question to the host, as `(flags, bytes)`; `trace` is the span that asks. Raises Refusal where that is impossible."""
        if trace is None:
            try:
                flags, body = self._codec.encode_apart(args, "args")
            except UnencodableValue as error:
                raise Refusal(INVALID_RESULT, str(error)) from None
            if flags == 0 and type(body) is bytes:
                body = self._codec.host_call(method, body, call_id)
                self.check_size(body, method)
                return 0, body
        question = {"method": method, "args": args, "call": call_id}
        if trace is not None:
            question["trace"] = trace
        return self.encode_value(question, "host_call")

    def encode_data(self, error):
        """The data that an exception carries, as `(flags, bytes)`; None where there is none, or it cannot be sent: it is a courtesy."""
        data = error_data(error)
        if data is None:
            return None
        try:
            flags, body = self._codec.encode_apart(data, "data")
        except Exception:
            return None
        return (flags, body) if len(body) <= self.max_frame_bytes // 2 else None

    def check_size(self, body, root):
        """Raise Refusal where a body is too large."""
        if len(body) > self.max_frame_bytes:
            raise Refusal(
                FRAME_TOO_LARGE,
                "the %s takes %d bytes, more than maxFrameBytes of %d; stream it in parts"
                % (root, len(body), self.max_frame_bytes),
            )
