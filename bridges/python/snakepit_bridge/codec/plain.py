"""Turns what commands return into the values that the wire knows.

This is the slow path of both codecs: it runs only when a value does not encode as it is, converts what has an
obvious plain form, and names the path to what has none.
"""

import sys

from ..errors import UnencodableValue

INT_MIN = -(2**63)
INT_MAX = 2**64 - 1

_WITHOUT_CHECKS = frozenset((float, bool, type(None)))
_METHODS = ("model_dump", "to_dict", "tolist", "item")


def to_plain(value, root, max_depth, placement=None):
    """Rebuild `value` from None, bool, int, float, str, bytes, aware datetime, list and dict with string keys.

    With a `placement`, binary becomes what that says, and arrays of numbers are binary. `root` begins the path in messages (`result`). Raises UnencodableValue.
    """
    return _Converter(root, max_depth, placement).convert(value)


class _Converter:
    __slots__ = ("root", "max_depth", "placement", "path", "open_ids")

    def __init__(self, root, max_depth, placement):
        self.root = root
        self.max_depth = max_depth
        self.placement = placement
        self.path = []
        self.open_ids = set()

    def convert(self, value):
        kind = type(value)
        if kind in _WITHOUT_CHECKS:
            return value
        if kind is str:
            return self._text(value)
        if kind is int:
            return self._integer(value)
        if kind is bytes:
            return value if self.placement is None else self.placement.convert(value)
        if kind is list or kind is tuple:
            return self._inside(value, self._list)
        if kind is dict:
            return self._inside(value, self._map)
        return self._convert_other(value)

    def _convert_other(self, value):
        binary = self._binary(value)
        if binary is not None:
            return binary
        enum = _loaded("enum", "Enum")
        if enum and isinstance(value, enum):
            return self._inside(value.value, self.convert)
        if isinstance(value, str):
            return self._text(str.__str__(value))
        if isinstance(value, int):
            return self._integer(int(value))
        if isinstance(value, float):
            return float(value)
        if isinstance(value, (list, tuple)):
            return self._inside(value, self._list)
        if isinstance(value, dict):
            return self._inside(value, self._map)
        if isinstance(value, (set, frozenset)):
            self._refuse(value, "convert it to a list")
        return self._convert_object(value)

    def _binary(self, value):
        if self.placement is not None:
            return self.placement.convert(value)
        return bytes(value) if isinstance(value, (bytes, bytearray, memoryview)) else None

    def _convert_object(self, value):
        kind = type(value)
        datetime = _loaded("datetime", "datetime")
        if datetime and isinstance(value, datetime):
            return _time(value)
        for module, name in (("datetime", "date"), ("datetime", "time")):
            known = _loaded(module, name)
            if known and isinstance(value, known):
                return value.isoformat()
        for module, name in (("decimal", "Decimal"), ("uuid", "UUID"), ("pathlib", "PurePath")):
            known = _loaded(module, name)
            if known and isinstance(value, known):
                return str(value)
        timedelta = _loaded("datetime", "timedelta")
        if timedelta and isinstance(value, timedelta):
            return value.total_seconds()
        if hasattr(kind, "__dataclass_fields__"):
            return self._inside(value, self._dataclass)
        for method in _METHODS:
            if callable(getattr(kind, method, None)):
                return self._inside(value, self._by_method, method)
        if hasattr(kind, "__next__"):
            self._refuse(value, "convert it to a list, or yield from it to make the command a stream")
        return self._refuse(value, "convert it to a dict, list, string or number, or give its class a to_dict() method")

    def _inside(self, value, convert, *args):
        """Convert a container, guarding against cycles (by what is open) and depth."""
        identity = id(value)
        if identity in self.open_ids:
            self._fail("the value contains itself; break the cycle")
        if len(self.open_ids) > 4 * self.max_depth:
            self._fail("nested too deeply; at most %d levels are allowed" % self.max_depth)
        self.open_ids.add(identity)
        try:
            return convert(value, *args)
        finally:
            self.open_ids.discard(identity)

    def _list(self, values):
        self._enter()
        kinds = set(map(type, values))
        if kinds <= _WITHOUT_CHECKS:
            return list(values)
        convert, path = self.convert, self.path
        result = []
        path.append(None)
        for index, value in enumerate(values):
            path[-1] = index
            result.append(convert(value))
        path.pop()
        return result

    def _map(self, values):
        self._enter()
        convert, path = self.convert, self.path
        result = {}
        path.append(None)
        for key, value in values.items():
            path[-1] = key
            text = self._key(key)
            if text in result:
                self._fail("two keys have the text %r; keep one" % text)
            result[text] = convert(value)
        path.pop()
        return result

    def _dataclass(self, value):
        return self._map({name: getattr(value, name) for name in type(value).__dataclass_fields__})

    def _by_method(self, value, method):
        try:
            converted = getattr(value, method)()
        except Exception as error:
            self._fail("%s() of %s failed: %s: %s" % (method, _name(value), type(error).__name__, error))
        return self.convert(converted)

    def _enter(self):
        if len(self.path) >= self.max_depth:
            self._fail("nested too deeply; at most %d levels are allowed" % self.max_depth)

    def _key(self, key):
        """Keys of int, float, bool and None become the text that JSON has for them."""
        if isinstance(key, str):
            return self._text(str.__str__(key))
        if key is None:
            return "null"
        if isinstance(key, bool):
            return "true" if key else "false"
        if isinstance(key, int):
            return str(int(key))
        if isinstance(key, float):
            return float.__repr__(key)
        return self._fail("a key is %s; make it a string" % _name(key))

    def _text(self, value):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            self._fail("the string holds a lone surrogate; clean it, such as by s.encode('utf-8', 'replace').decode()")
        return value

    def _integer(self, value):
        if INT_MIN <= value <= INT_MAX:
            return value
        return self._fail("the integer does not fit 64 bits; convert it to a string")

    def _refuse(self, value, remedy):
        self._fail("%s; %s" % (_name(value), remedy))

    def _fail(self, reason):
        raise UnencodableValue("%s: %s" % (self.root + "".join(map(_step, self.path)), reason))


def _time(value):
    """An aware datetime is a time; a naive one, which names no instant, is text."""
    if value.utcoffset() is None:
        return value.isoformat()
    from datetime import datetime, timezone

    utc = value.astimezone(timezone.utc)
    return datetime(utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond, timezone.utc)


def _loaded(module, name):
    """A class of a module that is loaded already: an instance of it cannot exist otherwise."""
    return getattr(sys.modules.get(module), name, None)


def _name(value):
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else "%s.%s" % (kind.__module__, kind.__qualname__)


def _step(key):
    if isinstance(key, int) and not isinstance(key, bool):
        return "[%d]" % key
    if isinstance(key, str) and key.isidentifier():
        return "." + key
    return "[%.60r]" % (key,)
