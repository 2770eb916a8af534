"""Messages of v1: a length of four bytes, then JSON text or one MessagePack map."""

import os
import struct
import sys

from ..codec import create_codec
from ..codec.json_codec import JsonCodec
from ..codec.tags import needs_tags
from ..errors import ProtocolError, RefusedValue, UnencodableValue

MAX_MESSAGE_BYTES = 256 * 1024 * 1024
MAX_DEPTH = 64

_LENGTH = struct.Struct(">I")


class Channel:
    """Reads requests and writes replies in the codec called `codec_name`."""

    def __init__(self, source, sink, codec_name="json"):
        self._source = source
        self._sink = sink
        self.use(codec_name)

    def use(self, codec_name):
        """Switch to another codec."""
        self.codec = PlainJsonCodec(MAX_DEPTH) if codec_name == "json" else create_codec(codec_name, MAX_DEPTH)

    def read(self):
        """The next message, or None at the end. Raises ProtocolError."""
        header = self._source.read(_LENGTH.size)
        if not header:
            return None
        length = _LENGTH.unpack(header)[0] if len(header) == _LENGTH.size else 0
        if length > MAX_MESSAGE_BYTES:
            raise ProtocolError("a message of %d bytes exceeds %d" % (length, MAX_MESSAGE_BYTES))
        body = self._source.read(length)
        if len(header) < _LENGTH.size or len(body) < length:
            raise ProtocolError("the input ends within a message")
        # A host that was not sure of us yet may have sent JSON; no MessagePack map begins with a brace.
        codec = PlainJsonCodec(MAX_DEPTH) if body[:1] == b"{" else self.codec
        try:
            message = codec.decode(body)
        except RefusedValue as error:
            raise ProtocolError("a message %s" % error) from None
        if type(message) is not dict:
            raise ProtocolError("a message that is not a map")
        return message

    def write(self, message):
        """Send a message. Raises UnencodableValue, and OSError if the host is gone."""
        _, body = self.codec.encode(message, "reply")
        self._sink.write(_LENGTH.pack(len(body)) + body)
        self._sink.flush()


class PlainJsonCodec(JsonCodec):
    """JSON as v1 has it: what needs a tag is refused."""

    def _encode_tagged(self, plain, root):
        unsigned = _unsigned_zeros(plain)
        if not needs_tags(unsigned):
            return 0, self._to_text(unsigned).encode("utf-8")
        raise UnencodableValue(
            "%s: protocol v1 with JSON cannot carry binary, times, integers beyond 53 bits, NaN and infinities; "
            "use MessagePack or protocol v2" % root
        )


def _unsigned_zeros(value):
    """The plain value with every -0.0 made 0.0: the sign alone is no reason to refuse a result."""
    kind = type(value)
    if kind is list:
        return [_unsigned_zeros(item) for item in value]
    if kind is dict:
        return {key: _unsigned_zeros(item) for key, item in value.items()}
    return value + 0.0 if kind is float else value


def take_over_stdio():
    """Reserve stdin and stdout for the protocol, as `(source, sink)`; whatever is printed goes to stderr from now on."""
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb")
    sys.stdout.flush()
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return source, sink
