"""Values as MessagePack, by the `msgpack` package."""

import os
import re
import struct
from functools import partial
from math import inf

import msgpack

from ..errors import ProtocolError, RefusedValue
from .binary import Reference, Typed, typed_view
from .depth import is_deeper
from .split_body import SplitBody

# First bytes of arrays and maps: their number in a body is an upper bound of its nesting.
_CONTAINER_BYTES = bytes((*range(0x80, 0xA0), *range(0xDC, 0xE0)))
# What the unpacker lets pass and the protocol refuses: binary as a key, and (in some versions) a timestamp of more than
# 999999999 nanoseconds. A body without these bytes has neither.
_SUSPECT = re.compile(rb"[\xc4-\xc7\xd7]").search
_ODD_TIME = re.compile(rb"\xd7\xff[\xee-\xff]|\xc7\x0c\xff[\x3b-\xff]").search
_TIME_HEADS = (b"\xd7\xff", b"\xc7\x0c\xff")
# From here on a body is rather held for a few large values than for many small ones.
_LARGE_BYTES = 16 * 1024
_MAPS_AND_LISTS = frozenset((dict, list, tuple))
_LOOKED_INTO = _MAPS_AND_LISTS | {bytes, bytearray, memoryview}
_REFERENCE = 1
_TYPED = 2
_PLACE = struct.Struct(">BQQ")
_BIN_32 = struct.Struct(">BI")
# From here on it is worth it to leave binary where it is until it is sent.
_PART_BYTES = 64 * 1024
_MAX_BIN_32_BYTES = 1 << 32
_ROW_BODIES = 32
_CALL_ID = struct.Struct(">5sBI")
# The unpacker makes room beforehand for as many items as a list claims to have, also within 512 lists that do the same. A body with a
# longer list is looked through first, by a parser that makes nothing.
_TRUSTED_ITEMS = 4096
# A limit of lengths that even an empty value exceeds; 0 lets it pass, and -1 means the default.
_NOT_ALLOWED = -2


class MsgpackCodec:
    """Encodes and decodes values as MessagePack; `max_depth` bounds their nesting."""

    name = "msgpack"
    scalars = frozenset((int, float, str, bool, type(None)))

    def __init__(self, max_depth, binary=None):
        self.max_depth = max_depth
        self._binary = binary
        self._fetched_bytes = 0
        self._inline_bytes = inf if binary is None else binary.inline_bytes
        self._pack_kept = _create_packer()
        # Encodes a value of one of the types `scalars`; raises an exception where `encode` must have a closer look.
        self.encode_scalar = self._pack_kept
        self._idle_packers = []
        self._host_call_heads = {}  # by method, of which there are few
        self._unpack = partial(msgpack.unpackb, timestamp=3, ext_hook=self._read_extension)
        self.decode_plain = _create_plain_decoder(max_depth) if _can_refuse_binary() else self.decode
        # Decodes the bodies of a row of calls as `decode_plain` does; returns None where `decode_plain` would raise.
        self.decode_row = _create_row_decoder(max_depth) if _can_refuse_binary() else _decode_no_row

    def encode(self, value, root="result"):
        """Encode a value as `(0, body)`, bytes or a SplitBody; large binary goes to the arena. `root` begins the path in messages.

        For one thread only, and never from within itself: it keeps its packer, which is costly to make. Raises
        UnencodableValue, and Refusal for too much binary.
        """
        return self._encode(self._pack_kept, value, root, True)

    def encode_apart(self, value, root="result", in_arena=False):
        """Like `encode`, for any thread, and for code that may run within an encoding, such as a finalizer that logs.

        Each encoding has a packer to itself, one that another has put back if there is any.
        """
        idle = self._idle_packers
        try:
            pack = idle.pop()
        except IndexError:
            pack = _create_packer()
        encoded = self._encode(pack, value, root, in_arena)
        if len(encoded[1]) < _PART_BYTES:  # a packer keeps the memory of its largest body
            idle.append(pack)
        return encoded

    def _encode(self, pack, value, root, in_arena):
        if type(value) in self.scalars:
            try:
                return 0, pack(value)
            except (TypeError, ValueError, OverflowError):
                pass
        if type(value) is bytes and _PART_BYTES <= len(value) < min(self._inline_bytes, _MAX_BIN_32_BYTES):
            # The packer's own buffer would double until the bytes fit in.
            body = SplitBody(_BIN_32.pack(0xC6, len(value)), value)
            return 0, bytes(body) if self._binary is None else body
        try:
            if type(value) not in _LOOKED_INTO or _packs_as_is(value, self._inline_bytes):
                data = pack(value)
                if self._is_shallow(data, value) or not is_deeper(value, self.max_depth):
                    return 0, data
        except (TypeError, ValueError, OverflowError, RecursionError):
            pass
        from .plain import to_plain

        if self._binary is None:
            return 0, pack(to_plain(value, root, self.max_depth))
        with self._binary.placement(in_arena) as placement:
            return 0, placement.checked(pack(to_plain(value, root, self.max_depth, placement)))

    def host_call(self, method, args, call_id):
        """The body `{method, args, call}` around arguments that are encoded already."""
        head = self._host_call_heads.get(method)
        if head is None:
            head = self._host_call_heads[method] = b"\x83\xa6method" + msgpack.packb(method) + b"\xa4args"
        return head + args + _CALL_ID.pack(b"\xa4call", 0xCE, call_id)

    def decode(self, body, flags=0, envelope_depth=0, loan=None):
        """Decode a frame's body, which may be nested `envelope_depth` deeper than a value.

        With a list `loan`, what lies in the arena is not copied; the list gets the views of it. Raises ProtocolError if
        malformed, RefusedValue if nested too deeply.
        """
        if flags & 0x80:
            raise ProtocolError("the host sent a tagged body with the MessagePack codec")
        if not body:
            return None
        is_suspect = _SUSPECT(body)
        if is_suspect:
            self._fetched_bytes = 0
        read_extension = self._read_extension if loan is None else partial(self._read_extension, loan=loan)
        try:
            try:
                value = self._unpack(body, ext_hook=read_extension, max_array_len=_TRUSTED_ITEMS)
            except ValueError:
                if len(body) <= _TRUSTED_ITEMS:
                    raise
                _look_through(body)
                self._fetched_bytes = 0
                if loan:
                    loan.clear()
                value = self._unpack(body, ext_hook=read_extension)
        except (msgpack.StackError, RecursionError):
            raise RefusedValue("nested too deeply; at most %d levels are allowed" % self.max_depth) from None
        except MemoryError:
            raise RefusedValue("takes more memory than there is") from None
        except OverflowError:
            raise RefusedValue("a time is outside the years 1 to 9999 of Python's datetime") from None
        except (ValueError, TypeError) as error:
            raise ProtocolError("malformed MessagePack from the host: %s" % (error or type(error).__name__)) from None
        if is_suspect:
            self._check_again(body, value)
        if not self._is_shallow(body, value) and is_deeper(value, self.max_depth + envelope_depth):
            raise RefusedValue("nested too deeply; at most %d levels are allowed" % self.max_depth)
        return value

    def _check_again(self, body, value):
        """Refuse what the unpacker lets pass."""
        try:
            if _may_hold_odd_time(body):
                self._fetched_bytes = 0
                self._unpack(body, timestamp=0)
            is_fine = type(value) not in _MAPS_AND_LISTS or _has_string_keys(value)
        except RecursionError:
            raise RefusedValue("nested too deeply; at most %d levels are allowed" % self.max_depth) from None
        except ValueError as error:
            raise ProtocolError("malformed MessagePack from the host: %s" % error) from None
        if not is_fine:
            raise ProtocolError("malformed MessagePack from the host: a key that is not a string")

    def _read_extension(self, kind, data, loan=None):
        if kind == _TYPED and data:
            return typed_view(data[0], data[1:])
        if kind == _REFERENCE and len(data) == _PLACE.size and self._binary is not None:
            code, offset, length = _PLACE.unpack(data)
            if loan is None:
                self._fetched_bytes = self._binary.checked_copy(self._fetched_bytes + length)
            return self._binary.fetch(code, offset, length, loan)
        raise ValueError("extension type %d of %d bytes" % (kind, len(data)))

    def _is_shallow(self, data, value):
        """Tell, where that is quickly seen, that a value cannot be nested too deeply."""
        size = len(data)
        if size <= self.max_depth or type(value) not in _MAPS_AND_LISTS:
            return True
        if size > _LARGE_BYTES and len(value) * 256 < size:
            return False  # few values, of many bytes: they are looked at sooner than their bytes
        return size - len(bytes(data).translate(None, _CONTAINER_BYTES)) <= self.max_depth


def _create_packer():
    """A function from what the packer knows to bytes; not for two encodings at once."""
    return msgpack.Packer(datetime=True, default=_extension).pack


def _passes_odd_times():
    """Tell whether the installed unpacker lets a timestamp of more than 999999999 nanoseconds pass."""
    try:
        msgpack.unpackb(b"\xd7\xff" + b"\xff" * 8, timestamp=3)
    except ValueError:
        return False
    return True


_PASSES_ODD_TIMES = _passes_odd_times()


def _create_plain_decoder(max_depth):
    """A function that decodes small bodies without binary and extensions, which need no second look at what the unpacker let pass.

    It raises any exception where there is more to it: `decode` then has the last word.
    """
    unpack, containers = msgpack.unpackb, _CONTAINER_BYTES

    def decode_plain(body):
        size = len(body)
        if size > max_depth and (size > _LARGE_BYTES or size - len(body.translate(None, containers)) > max_depth):
            raise ValueError
        return unpack(body, max_bin_len=_NOT_ALLOWED, max_ext_len=_NOT_ALLOWED)

    return decode_plain


def _create_row_decoder(max_depth):
    """A function that decodes bodies in one go, as an array of their values with a separator after each.

    The separator is a number that no host can know, so that it stands in its places only if every body is one whole value.
    """
    unpack, array_head = msgpack.unpackb, struct.Struct(">BH").pack
    separator = b"\xcf\xff" + os.urandom(7)
    separators = [msgpack.unpackb(separator)] * _ROW_BODIES

    def may_be_deep(body):
        size = len(body)
        return size > max_depth and (size > _LARGE_BYTES or size - len(bytes(body).translate(None, _CONTAINER_BYTES)) > max_depth)

    def decode_row(bodies):
        count = len(bodies)
        if count > _ROW_BODIES or (max(map(len, bodies)) > max_depth and any(map(may_be_deep, bodies))):
            return None
        try:
            joined = array_head(0xDC, 2 * count) + separator.join(bodies) + separator
            items = unpack(joined, max_bin_len=_NOT_ALLOWED, max_ext_len=_NOT_ALLOWED)
        except Exception:
            return None
        return items[::2] if items[1::2] == separators[:count] else None

    return decode_row


def _decode_no_row(bodies):
    return None


def _can_refuse_binary():
    """Tell whether this version of the unpacker takes such limits as they are meant."""
    for body in (b"\xc4\x00", b"\xc7\x00\x05"):
        try:
            msgpack.unpackb(body, max_bin_len=_NOT_ALLOWED, max_ext_len=_NOT_ALLOWED)
        except ValueError:
            continue
        return False
    return True


def _look_through(body):
    """Raise ValueError if a body is not one whole value, and msgpack.StackError if it is nested too deeply for the unpacker."""
    parser = msgpack.Unpacker(max_buffer_size=len(body))
    parser.feed(body)
    try:
        parser.skip()
    except msgpack.OutOfData:
        raise ValueError("a list or map has fewer items than it claims") from None


def _may_hold_odd_time(body):
    """Regular expressions are slow where there is much to search, and looking for the first bytes is enough then."""
    if not _PASSES_ODD_TIMES:
        return False
    if len(body) < _LARGE_BYTES:
        return _ODD_TIME(body)
    data = bytes(body)
    return any(head in data for head in _TIME_HEADS)


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


def _packs_as_is(value, inline_bytes):
    """Tell whether the packer can have a value: string keys, which it does not check, no views and no large binary."""
    kind = type(value)
    if kind is dict:
        for key in value:
            if type(key) is not str:
                return False
        value = value.values()
    elif kind not in _MAPS_AND_LISTS:
        return kind is not memoryview and len(value) < inline_bytes
    for item in value:
        if type(item) in _LOOKED_INTO and not _packs_as_is(item, inline_bytes):
            return False
    return True


def _extension(value):
    """What the packer asks about values that it does not know. Raises TypeError."""
    kind = type(value)
    if kind is Reference:
        return msgpack.ExtType(_REFERENCE, _PLACE.pack(value.code, value.offset, value.length))
    if kind is Typed:
        return msgpack.ExtType(_TYPED, bytes((value.code,)) + value.data)
    raise TypeError("no MessagePack value: %s" % kind.__name__)
