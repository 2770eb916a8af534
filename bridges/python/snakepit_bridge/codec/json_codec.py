"""Values as JSON: plain text where that loses nothing, else the protocol's tagged form."""

import json
import re

from ..errors import ProtocolError, RefusedValue
from .depth import is_deeper

TAGGED = 0x80

_SAFE = 2**53 - 1

# What plain text cannot carry and the fast encoder lets pass: an integer of 16 or more digits, and a negative zero.
_SUSPECT = re.compile(r"(?<![\d.])\d{16}\d*(?![\d.eE])|-0\.0(?![\d])").search
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]").search


def _refuse_constant(name):
    raise ProtocolError("malformed JSON from the host: %s is not a JSON value" % name)


def _refuse_object(value):
    raise TypeError("not a JSON value: %s" % type(value).__name__)


def _create_encoder():
    """A function from value to text. `JSONEncoder.encode` builds its encoder anew for each value; this one is kept."""
    make = json.encoder.c_make_encoder
    if make is None:
        options = {"ensure_ascii": False, "check_circular": False, "allow_nan": False, "separators": (",", ":")}
        return json.JSONEncoder(**options).encode
    encode = make(None, _refuse_object, json.encoder.encode_basestring, None, ":", ",", False, False, False)
    return lambda value: "".join(encode(value, 0))


class JsonCodec:
    """Encodes and decodes values as JSON; `max_depth` bounds their nesting."""

    name = "json"
    scalars = frozenset((int,))

    def __init__(self, max_depth, binary=None):
        self.max_depth = max_depth
        self._binary = binary
        self._to_text = _create_encoder()
        decoder = json.JSONDecoder(parse_constant=_refuse_constant)
        self._from_text = decoder.decode
        self._scan = decoder.scan_once

    def encode(self, value, root="result"):
        """Encode a value as `(flags, bytes)`; large binary goes to the arena. `root` begins the path in messages.

        Raises UnencodableValue, and Refusal for too much binary.
        """
        return self.encode_apart(value, root, in_arena=True)

    def encode_apart(self, value, root="result", in_arena=False):
        """Like `encode`, for any thread, since this codec keeps no state."""
        if type(value) is int and -_SAFE <= value <= _SAFE:
            return 0, b"%d" % value
        try:
            text = self._to_text(value)
            if len(text) < 4 or _SUSPECT(text) is None:
                data = text.encode("utf-8")
                if text.count("[") + text.count("{") <= self.max_depth or not is_deeper(value, self.max_depth):
                    return 0, data
        except (TypeError, ValueError, RecursionError, OverflowError):
            pass
        from .plain import to_plain

        if self._binary is None:
            return self._write(to_plain(value, root, self.max_depth), root)
        with self._binary.placement(in_arena) as placement:
            flags, data = self._write(to_plain(value, root, self.max_depth, placement), root)
            return flags, placement.checked(data)

    @staticmethod
    def encode_scalar(value):
        """Encode a value of one of the types `scalars`; raises an exception where `encode` must have a closer look."""
        if -_SAFE <= value <= _SAFE:
            return b"%d" % value
        raise OverflowError

    def _write(self, plain, root):
        from .tags import needs_tags

        if needs_tags(plain):
            return self._encode_tagged(plain, root)
        return 0, self._to_text(plain).encode("utf-8")

    def _encode_tagged(self, plain, root):
        from .tags import encode_tagged

        return TAGGED, encode_tagged(plain, self._to_text)

    @staticmethod
    def host_call(method, args, call_id):
        """The body `{method, args, call}` around arguments that are encoded already."""
        return b'{"method":"%b","args":%b,"call":%d}' % (method.encode("ascii"), args, call_id)

    def decode(self, body, flags=0, envelope_depth=0, loan=None):
        """Decode a frame's body, which may be nested `envelope_depth` deeper than a value.

        With a list `loan`, what lies in the arena is not copied; the list gets the views of it. Raises ProtocolError if
        malformed, RefusedValue if nested too deeply.
        """
        if flags & TAGGED:
            from .tags import decode_tagged

            return decode_tagged(body, self._parse, self.max_depth + envelope_depth, self._binary, loan)
        if not body:
            return None
        try:
            text = str(body, "utf-8")
        except UnicodeDecodeError as error:
            raise ProtocolError("malformed JSON from the host: %s" % error) from None
        value = self._parse(text)
        if text.count("[") + text.count("{") > self.max_depth and is_deeper(value, self.max_depth + envelope_depth):
            raise RefusedValue("nested too deeply; at most %d levels are allowed" % self.max_depth)
        return value

    def decode_plain(self, body):
        """Like `decode`, for small plain text without escapes; raises any exception where there is more to it."""
        text = str(body, "utf-8")
        value, end = self._scan(text, 0)
        if end != len(text) or "\\" in text or text.count("[") + text.count("{") > self.max_depth:
            raise ValueError
        return value

    def decode_row(self, bodies):
        """Decode the bodies of a row of calls as `decode_plain` does; returns None where `decode_plain` would raise."""
        try:
            return list(map(self.decode_plain, bodies))
        except Exception:
            return None

    def _parse(self, text):
        try:
            try:
                value, end = self._scan(text, 0)
                if end != len(text):
                    value = self._from_text(text)
            except StopIteration:
                value = self._from_text(text)
        except RecursionError:
            raise RefusedValue("nested too deeply; at most %d levels are allowed" % self.max_depth) from None
        except ValueError as error:
            raise ProtocolError("malformed JSON from the host: %s" % error) from None
        if "\\u" in text and _ESCAPED_SURROGATE(text):
            self._check_surrogates(value)
        return value

    def _check_surrogates(self, value):
        try:
            self._to_text(value).encode("utf-8")
        except UnicodeEncodeError:
            raise ProtocolError("malformed JSON from the host: a string holds a lone surrogate") from None
        except RecursionError:
            raise RefusedValue("nested too deeply; at most %d levels are allowed" % self.max_depth) from None
