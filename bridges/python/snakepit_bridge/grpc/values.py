"""Values of one attachment, as bodies."""

from ..codec import create_codec
from ..codec.binary import BinaryForm
from ..codec.split_body import SplitBody
from ..encoder import Encoder
from ..errors import INVALID_ARGUMENTS, ProtocolError, RefusedValue, Refusal

TAGGED = 0x80


class Values(Encoder):
    """Encodes and decodes by the codec called `codec_name`; `takes_typed_arrays` tells of the other side."""

    def __init__(self, codec_name, max_frame_bytes, max_depth, takes_typed_arrays):
        binary = BinaryForm(None, max_frame_bytes) if takes_typed_arrays else None
        codec = create_codec(codec_name, max_depth, binary)
        super().__init__(codec, max_frame_bytes)
        self.codec_name = codec_name
        self.decode = codec.decode

    def encode(self, value, root="result", in_arena=False):
        """As `Encoder.encode`, in one piece, which is what a message holds."""
        encoded = super().encode(value, root, in_arena)
        flags, body = encoded
        return (flags, bytes(body)) if type(body) is SplitBody else encoded

    def decode_arguments(self, body, is_tagged):
        """The arguments of a call. Raises Refusal: a host whose bodies are malformed is not the only one."""
        try:
            return self.decode(body, TAGGED if is_tagged else 0)
        except (RefusedValue, ProtocolError) as error:
            raise Refusal(INVALID_ARGUMENTS, "args: %s" % error) from None
