"""Tells any object to the host: as plain values, arrays and tables as binary, and what has no such form by a description."""

from . import wire_tags as tags
from .failures import unsendable
from .serializers import serializer_of

_MAX_DEPTH = 60
_MAX_REPR = 500
_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1
_SCALARS = (bool, float, str, bytes, type(None))
# What an object may know of telling itself, the best first.
_METHODS = ("model_dump", "to_dict", "toDict", "tolist", "isoformat", "item")


class ToWire:
    """Encodes one result. `keep` is given what has no form of its own, and returns the name by which it can be stored, or None."""

    def __init__(self, plugins, max_values, keep):
        self._plugins = plugins
        self._max_values = max_values
        self._keep = keep
        self._values = 0
        self._depth = 0
        self._open = set()

    def encode(self, value):
        """The wire form of a value. Raises Refusal where it has too many parts."""
        self._values += 1
        if self._values > self._max_values:
            raise unsendable(
                "the result has more than %d values (`enhanced.maxValues`); store it by `storeAs` and ask for a part, or return an array or a table"
                % self._max_values
            )
        if type(value) in _SCALARS or isinstance(value, memoryview):
            return value
        if type(value) is int:
            return value if _INT_MIN <= value <= _INT_MAX else {tags.INTEGER: str(value)}
        if id(value) in self._open or self._depth >= _MAX_DEPTH:
            return self.describe(value)
        self._open.add(id(value))
        self._depth += 1
        try:
            return self._encode_other(value)
        finally:
            self._depth -= 1
            self._open.discard(id(value))

    def encode_map(self, pairs):
        """The wire form of a map; one whose keys are not all text keeps them."""
        pairs = list(pairs)
        if all(type(key) is str for key, _ in pairs):
            encoded = {key: self.encode(item) for key, item in pairs}
            return {tags.ESCAPED: encoded} if tags.looks_like_tag(encoded) else encoded
        return {tags.MAP: [[self.encode(key), self.encode(item)] for key, item in pairs]}

    def describe(self, value):
        """What is told of an object that has no form: its type, a short text, and how it can be stored."""
        kind = type(value)
        described = {"type": "%s.%s" % (kind.__module__, kind.__qualname__), "repr": short_repr(value)}
        name = self._keep(value)
        return {tags.OBJECT: described if name is None else {**described, "ref": name}}

    def _encode_other(self, value):
        kind = type(value)
        serialize = serializer_of(kind)
        if serialize is not None:
            return self.encode(serialize(value))
        if kind is dict:
            return self.encode_map(value.items())
        if kind in (list, tuple):
            return [self.encode(item) for item in value]
        for plugin in self._plugins.of_value(value):
            encoded = plugin.serialize(value, self)
            if encoded is not NotImplemented:
                return encoded
        return self._encode_standard(value)

    def _encode_standard(self, value):
        """Types of Python's own, and what derives from them."""
        from datetime import datetime, timedelta
        from decimal import Decimal
        from enum import Enum
        from os import PathLike
        from uuid import UUID

        if isinstance(value, Enum):
            return self.encode(value.value)
        if isinstance(value, (set, frozenset)):
            return {tags.SET: [self.encode(item) for item in _sorted(value)]}
        if isinstance(value, complex):
            return {tags.COMPLEX: [value.real, value.imag]}
        if isinstance(value, Decimal):
            return {tags.DECIMAL: str(value)}
        if isinstance(value, datetime):
            return value if value.utcoffset() is not None else value.isoformat()
        if isinstance(value, timedelta):
            return value.total_seconds()
        if isinstance(value, UUID):
            return str(value)
        if isinstance(value, PathLike) and not isinstance(value, type):
            return str(value.__fspath__())
        if isinstance(value, (str, int, float, bytearray)):
            return self.encode(_plain_base(value))
        if isinstance(value, tuple) and hasattr(value, "_asdict"):
            return self.encode_map(value._asdict().items())
        return self._encode_object(value)

    def _encode_object(self, value):
        kind = type(value)
        if hasattr(kind, "__dataclass_fields__"):
            return self.encode_map((name, getattr(value, name)) for name in kind.__dataclass_fields__)
        for method in _METHODS:
            if callable(getattr(kind, method, None)):
                try:
                    told = getattr(value, method)()
                except Exception:
                    continue  # such as a method of that name that wants arguments
                if told is not value:
                    return self.encode(told)
        if isinstance(value, dict):
            return self.encode_map(value.items())
        if isinstance(value, (list, tuple)) or kind.__name__ in ("dict_keys", "dict_values", "dict_items", "deque"):
            return [self.encode(item) for item in value]
        return self.describe(value)


def short_repr(value):
    """A bounded text for an object; one whose own fails is told as such."""
    try:
        text = repr(value)
    except Exception as error:
        text = "<repr() failed: %s>" % type(error).__name__
    text = text if len(text) <= _MAX_REPR else text[: _MAX_REPR - 1] + "…"
    return text.encode("utf-8", "backslashreplace").decode()


def _plain_base(value):
    for base in (str, int, float):
        if isinstance(value, base):
            return base.__str__(value) if base is str else base.__new__(base, value)
    return bytes(value)


def _sorted(values):
    """A set has no order; one that repeats is easier to live with."""
    try:
        return sorted(values)
    except TypeError:
        return list(values)
