"""The tagged form of JSON: what plain text cannot carry stands in it as an object with one `$` key."""

import re
import struct
from datetime import datetime, timezone
from math import copysign, inf, isfinite, nan

from ..errors import ProtocolError, RefusedValue
from .binary import CODES, NAMES, PLAIN_BYTES, Reference, Typed, typed_view
from .plain import INT_MAX, INT_MIN

_LENGTH = struct.Struct(">I")
_SAFE = 2**53 - 1
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,19})\Z").match
_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})\.([0-9]{3})Z\Z").match
_EXPANDED_TIME = re.compile(r"[+-][0-9]{6}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z\Z").match
_TAGGED_KINDS = frozenset((bytes, datetime, Typed, Reference))
_FLOATS = {"NaN": nan, "Infinity": inf, "-Infinity": -inf, "-0": -0.0}


def needs_tags(value):
    """Tell whether a plain value (see `to_plain`) holds something that needs a tag."""
    kind = type(value)
    if kind is list:
        return any(map(needs_tags, value))
    if kind is dict:
        return any(map(needs_tags, value.values()))
    if kind is int:
        return not -_SAFE <= value <= _SAFE
    if kind is float:
        return _is_odd(value)
    return kind in _TAGGED_KINDS


def encode_tagged(value, to_text):
    """Encode a plain value as the length of the text, the text, and the attachments."""
    attachments = []
    tagger = _Tagger(attachments)
    text = to_text(tagger.tag(value)).encode("utf-8")
    return b"".join((_LENGTH.pack(len(text)), text, *attachments))


def decode_tagged(body, parse, max_depth, binary=None, loan=None):
    """Decode the tagged form; `parse` reads JSON text, `binary` and `loan` are as the codec has them.

    Raises ProtocolError and RefusedValue.
    """
    if len(body) < 4:
        raise ProtocolError("malformed tagged JSON from the host: it ends within the length")
    view = memoryview(body)
    end = 4 + _LENGTH.unpack_from(body)[0]
    if end > len(body):
        raise ProtocolError("malformed tagged JSON from the host: the text is longer than the body")
    try:
        text = str(view[4:end], "utf-8")
    except UnicodeDecodeError as error:
        raise ProtocolError("malformed tagged JSON from the host: %s" % error) from None
    try:
        return _Untagger(view[end:], max_depth, binary, loan).untag(parse(text), 0)
    except RecursionError:
        raise RefusedValue("nested too deeply; at most %d levels are allowed" % max_depth) from None


def _is_odd(value):
    return not isfinite(value) or (value == 0.0 and copysign(1.0, value) < 0)


class _Tagger:
    __slots__ = ("attachments", "offset")

    def __init__(self, attachments):
        self.attachments = attachments
        self.offset = 0

    def tag(self, value):
        kind = type(value)
        if kind is list:
            return [self.tag(item) for item in value]
        if kind is dict:
            tagged = {key: self.tag(item) for key, item in value.items()}
            return {"$esc": tagged} if _looks_like_tag(tagged) else tagged
        if kind is int:
            return value if -_SAFE <= value <= _SAFE else {"$int": str(value)}
        if kind is float:
            return {"$float": _float_name(value)} if _is_odd(value) else value
        if kind is bytes:
            return {"$bin": self._attach(value)}
        if kind is datetime:
            return {"$time": _time_text(value)}
        if kind is Typed:
            return {"$typed": [NAMES[value.code], {"$bin": self._attach(value.data)}]}
        if kind is Reference:
            place = {"$shm": [value.offset, value.length]}
            return place if value.code == PLAIN_BYTES else {"$typed": [NAMES[value.code], place]}
        return value

    def _attach(self, data):
        offset = self.offset
        self.attachments.append(data)
        self.offset += len(data)
        return [offset, len(data)]


class _Untagger:
    __slots__ = ("attachments", "unread", "fetched", "max_depth", "binary", "loan")

    def __init__(self, attachments, max_depth, binary, loan):
        self.attachments = attachments
        # A reference takes far fewer bytes than what it refers to: each byte is copied once.
        self.unread = len(attachments)
        self.fetched = 0
        self.max_depth = max_depth
        self.binary = binary
        self.loan = loan

    def untag(self, value, depth):
        kind = type(value)
        if kind is list:
            self._check(depth)
            return [self.untag(item, depth + 1) for item in value]
        if kind is not dict:
            return value
        if not _looks_like_tag(value):
            self._check(depth)
            return {key: self.untag(item, depth + 1) for key, item in value.items()}
        (name, content), = value.items()
        if name == "$esc":
            return self._escaped(content, depth)
        return self._scalar(name, content)

    def _check(self, depth):
        if depth >= self.max_depth:
            raise RefusedValue("nested too deeply; at most %d levels are allowed" % self.max_depth)

    def _escaped(self, content, depth):
        if type(content) is not dict:
            raise _bad_tag("$esc", content)
        self._check(depth)
        return {key: self.untag(item, depth + 1) for key, item in content.items()}

    def _scalar(self, name, content):
        if name in ("$bin", "$shm"):
            return self._place(PLAIN_BYTES, name, content)
        if name == "$typed":
            return self._typed(content)
        if type(content) is str:
            if name == "$int" and _INTEGER(content) and INT_MIN <= int(content) <= INT_MAX:
                return int(content)
            if name == "$float" and content in _FLOATS:
                return _FLOATS[content]
            if name == "$time":
                return _parse_time(content)
        raise _bad_tag(name, content)

    def _typed(self, content):
        if type(content) is list and len(content) == 2 and type(content[0]) is str and type(content[1]) is dict:
            code, items = CODES.get(content[0]), list(content[1].items())
            if code is not None and len(items) == 1 and items[0][0] in ("$bin", "$shm"):
                return self._place(code, *items[0])
        raise _bad_tag("$typed", content)

    def _place(self, code, name, content):
        if type(content) is list and len(content) == 2 and all(type(part) is int and part >= 0 for part in content):
            offset, length = content
            if name == "$bin" and offset + length <= len(self.attachments) and length <= self.unread:
                self.unread -= length
                return typed_view(code, bytes(self.attachments[offset : offset + length]))
            if name == "$shm" and self.binary is not None:
                if self.loan is None:
                    self.fetched = self.binary.checked_copy(self.fetched + length)
                return self.binary.fetch(code, offset, length, self.loan)
        raise _bad_tag(name, content)


def _looks_like_tag(value):
    return len(value) == 1 and next(iter(value)).startswith("$")


def _float_name(value):
    if value != value:
        return "NaN"
    if value == 0.0:
        return "-0"
    return "Infinity" if value > 0 else "-Infinity"


def _time_text(value):
    utc = value.astimezone(timezone.utc)
    date = (utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond // 1000)
    return "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ" % date


def _parse_time(content):
    match = _TIME(content)
    try:
        if match:
            year, month, day, hour, minute, second, milliseconds = map(int, match.groups())
            return datetime(year, month, day, hour, minute, second, milliseconds * 1000, timezone.utc)
    except ValueError:
        if match.group(1) != "0000":
            raise _bad_tag("$time", content) from None
    if match or _EXPANDED_TIME(content):
        raise RefusedValue("the time %s is outside the years 1 to 9999 of Python's datetime" % content)
    raise _bad_tag("$time", content)


def _bad_tag(name, content):
    return ProtocolError("malformed tagged JSON from the host: bad tag {%s: %.80r}" % (name, content))
