"""Values as the ancestor's gRPC service has them: `map<string, bytes>`."""

import json

from ..codec.plain import to_plain
from ..errors import FRAME_TOO_LARGE, INVALID_RESULT, Refusal, UnencodableValue
from ..v1.channel import PlainJsonCodec

_MAX_DEPTH = 64


class AncestorValues:
    """Has the verbs of Values that answers need; a body is a map from names to bytes."""

    def __init__(self, max_frame_bytes):
        self.max_frame_bytes = max_frame_bytes
        self._codec = PlainJsonCodec(_MAX_DEPTH)

    def encode(self, value, root="result"):
        """A result as `(0, map)`; one that is no map comes as the map of `result`. Raises Refusal."""
        try:
            plain = to_plain(value, root, _MAX_DEPTH)
            members = plain if type(plain) is dict else {"result": plain}
            body = {name: self._encode_member(member, root) for name, member in members.items()}
        except UnencodableValue as error:
            raise Refusal(INVALID_RESULT, str(error)) from None
        if sum(map(len, body.values())) > self.max_frame_bytes:
            raise Refusal(FRAME_TOO_LARGE, "the %s takes more than %d bytes; stream it in parts" % (root, self.max_frame_bytes))
        return 0, body

    @staticmethod
    def encode_data(error):
        """Failures are texts here."""
        return None

    def _encode_member(self, member, root):
        if type(member) is bytes:
            return member
        if type(member) is str:
            return member.encode("utf-8")
        return self._codec.encode(member, root)[1]


def decode_arguments(args):
    """Arguments as a map: bytes are JSON if they can be read as that, else text if they are UTF-8, else binary."""
    return {name: _decode_member(data) for name, data in args.items()}


def _decode_member(data):
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return data
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
