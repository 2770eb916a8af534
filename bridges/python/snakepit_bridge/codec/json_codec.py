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

    def __init__(self, max_depth):
        self.max_depth = max_depth
        self._to_text = _create_encoder()
        decoder = json.JSONDecoder(parse_constant=_refuse_constant)
        self._from_text = decoder.decode
        self._scan = decoder.scan_once

    def encode(self, value, root="result"):
        """Encode a value as `(flags, bytes)`; `root` begins the path in messages. Raises UnencodableValue."""
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
        return self._encode_slowly(value, root)

    encode_apart = encode  # this codec keeps no state, so that any thread may use it

    def _encode_slowly(self, value, root):
        from .plain import to_plain
        from .tags import needs_tags

        plain = to_plain(value, root, self.max_depth)
        if needs_tags(plain):
            return self._encode_tagged(plain, root)
        return 0, self._to_text(plain).encode("utf-8")

    def _encode_tagged(self, plain, root):
        from .tags import encode_tagged

        return TAGGED, encode_tagged(plain, self._to_text)

    def decode(self, body, flags=0, envelope_depth=0):
        """Decode a frame's body, which may be nested `envelope_depth` deeper than a value. Raises ProtocolError if malformed, RefusedValue if nested too deeply."""
        if flags & TAGGED:
            from .tags import decode_tagged

            return decode_tagged(body, self._parse, self.max_depth + envelope_depth)
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
