"""Rebuilds arguments: references become what they refer to, arrays and tables those of numpy and pandas."""

from . import wire_tags as tags
from .failures import BAD_ARGUMENT, refusal


class FromWire:
    """Decodes arguments; `resolve` returns what a reference names."""

    def __init__(self, resolve):
        self._resolve = resolve
        self._readers = {
            tags.ESCAPED: self._escaped,
            tags.REFERENCE: resolve,
            tags.MAP: self._map,
            tags.SET: lambda content: set(self._list(content)),
            tags.TUPLE: lambda content: tuple(self._list(content)),
            tags.COMPLEX: lambda content: complex(*content),
            tags.DECIMAL: _decimal,
            tags.INTEGER: int,
            tags.ARRAY: _array,
            tags.FRAME: _frame,
        }

    def decode(self, value):
        """The value that is meant. Raises Refusal for a tag that says nothing."""
        kind = type(value)
        if kind is list:
            return self._list(value)
        if kind is not dict:
            return value
        if not tags.looks_like_tag(value):
            return {key: self.decode(item) for key, item in value.items()}
        ((tag, content),) = value.items()
        read = self._readers.get(tag)
        if read is None:
            raise refusal(
                BAD_ARGUMENT,
                "%r is no argument that is known here; a map whose only key begins with @ is sent as {'@esc': map}" % tag,
            )
        try:
            return read(content)
        except (TypeError, ValueError, KeyError, ArithmeticError) as error:
            raise refusal(
                BAD_ARGUMENT, "an argument of the form %r cannot be read: %s: %s" % (tag, type(error).__name__, error)
            ) from None

    def _list(self, values):
        return [self.decode(item) for item in values]

    def _escaped(self, content):
        return {key: self.decode(item) for key, item in content.items()}

    def _map(self, pairs):
        return {self.decode(key): self.decode(item) for key, item in pairs}


def _decimal(text):
    from decimal import Decimal

    return Decimal(text)


def _array(content):
    from .plugins.numpy import array_from_wire

    return array_from_wire(content)


def _frame(content):
    from .plugins.pandas import frame_from_wire

    return frame_from_wire(content)
