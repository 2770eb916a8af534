"""Values as MessagePack, by the `msgpack` package."""

import re
from functools import partial

import msgpack

from ..errors import ProtocolError, RefusedValue
from .depth import is_deeper

# First bytes of arrays and maps: their number in a body is an upper bound of its nesting.
_CONTAINER_BYTES = bytes((*range(0x80, 0xA0), *range(0xDC, 0xE0)))
# What the unpacker lets pass and the protocol refuses: binary as a key, and (in some versions) a timestamp of more than
# 999999999 nanoseconds. A body without these bytes has neither.
_SUSPECT = re.compile(rb"[\xc4-\xc7\xd7]").search
_ODD_TIME = re.compile(rb"\xd7\xff[\xee-\xff]|\xc7\x0c\xff[\x3b-\xff]").search
_SCALARS = frozenset((int, float, str, bool, bytes, type(None)))
_MAPS_AND_LISTS = frozenset((dict, list, tuple))


class MsgpackCodec:
    """Encodes and decodes values as MessagePack; `max_depth` bounds their nesting."""

    name = "msgpack"

    def __init__(self, max_depth):
        self.max_depth = max_depth
        self._pack_kept = msgpack.Packer(datetime=True).pack
        self._pack_apart = partial(msgpack.packb, datetime=True)
        self._unpack = partial(msgpack.unpackb, timestamp=3, ext_hook=_refuse_extension)

    def encode(self, value, root="result"):
        """Encode a value as `(0, bytes)`; `root` begins the path in messages. Raises UnencodableValue.

        For one thread only, and never from within itself: it keeps its packer, which is costly to make.
        """
        if type(value) in _SCALARS:
            try:
                return 0, self._pack_kept(value)
            except (ValueError, OverflowError):
                pass
        return self._encode(self._pack_kept, value, root)

    def encode_apart(self, value, root="result"):
        """Like `encode`, for any thread, and for code that may run within an encoding, such as a finalizer that logs."""
        return self._encode(self._pack_apart, value, root)

    def _encode(self, pack, value, root):
        try:
            if type(value) not in _MAPS_AND_LISTS or _has_string_keys(value):
                data = pack(value)
                if len(data) <= self.max_depth or self._is_shallow(data) or not is_deeper(value, self.max_depth):
                    return 0, data
        except (TypeError, ValueError, OverflowError, RecursionError):
            pass
        from .plain import to_plain

        return 0, pack(to_plain(value, root, self.max_depth))

    def decode(self, body, flags=0, envelope_depth=0):
        """Decode a frame's body, which may be nested `envelope_depth` deeper than a value. Raises ProtocolError if malformed, RefusedValue if nested too deeply."""
        if flags & 0x80:
            raise ProtocolError("the host sent a tagged body with the MessagePack codec")
        if not body:
            return None
        try:
            value = self._unpack(body)
        except (msgpack.StackError, RecursionError):
            raise RefusedValue("nested too deeply; at most %d levels are allowed" % self.max_depth) from None
        except OverflowError:
            raise RefusedValue("a time is outside the years 1 to 9999 of Python's datetime") from None
        except (ValueError, TypeError) as error:
            raise ProtocolError("malformed MessagePack from the host: %s" % (error or type(error).__name__)) from None
        if _SUSPECT(body):
            self._check_again(body, value)
        if len(body) > self.max_depth and not self._is_shallow(body) and is_deeper(value, self.max_depth + envelope_depth):
            raise RefusedValue("nested too deeply; at most %d levels are allowed" % self.max_depth)
        return value

    def _check_again(self, body, value):
        """Refuse what the unpacker lets pass."""
        try:
            if _ODD_TIME(body):
                self._unpack(body, timestamp=0)
            is_fine = type(value) not in _MAPS_AND_LISTS or _has_string_keys(value)
        except RecursionError:
            raise RefusedValue("nested too deeply; at most %d levels are allowed" % self.max_depth) from None
        except ValueError as error:
            raise ProtocolError("malformed MessagePack from the host: %s" % error) from None
        if not is_fine:
            raise ProtocolError("malformed MessagePack from the host: a key that is not a string")

    def _is_shallow(self, data):
        return len(data) - len(data.translate(None, _CONTAINER_BYTES)) <= self.max_depth


def _has_string_keys(value):
    """Tell whether every map within has nothing but strings as keys, which the packer does not check."""
    if type(value) is dict:
        for key in value:
            if type(key) is not str:
                return False
        value = value.values()
    for item in value:
        if type(item) in _MAPS_AND_LISTS and not _has_string_keys(item):
            return False
    return True


def _refuse_extension(code, data):
    raise ValueError("extension type %d" % code)
