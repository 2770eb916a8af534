"""The contract of a command whose annotations need a closer look."""

import collections.abc
import types
import typing

from ..command import STREAM, describe
from ..errors import StartupError
from .contract import BatchContract, Contract
from .misfit import Inexpressible
from .parameters import UNKNOWN
from .shapes import Shapes

_STREAMS = (
    collections.abc.Iterator,
    collections.abc.Generator,
    collections.abc.Iterable,
    collections.abc.AsyncIterator,
    collections.abc.AsyncGenerator,
    collections.abc.AsyncIterable,
)


def annotated_contract(command, parameters):
    """The contract of a command. Raises StartupError naming file, line, command and parameter."""
    return _Reader(command, parameters).read()


class _Reader:
    def __init__(self, command, parameters):
        self.command = command
        self.parameters = parameters
        self.taken = Shapes(is_result=False)
        self.given = Shapes(is_result=True)

    def read(self):
        if self.command.batch is not None:
            return self._batch()
        result = self._result(self.given, self._returned)
        if self.parameters.named and not self.parameters.takes_annotations:
            return Contract(None, None, result, {})
        properties, found = {}, {}
        for each in self.parameters.named:
            schema, convert = self._argument(each)
            properties[each.name] = each.described(schema)
            if convert is not None:
                found[each.name] = convert
        rest = convert_rest = None
        if self.parameters.rest is not None:
            rest, convert_rest = self._argument(self.parameters.rest)
        schema = self.taken.root(self.parameters.schema(properties, rest))
        return Contract(schema, self.parameters.positional, result, found, convert_rest)

    def _argument(self, parameter):
        hint = self._resolve(parameter)
        if parameter.has_default and parameter.default is None and hint is not UNKNOWN:
            hint = typing.Optional[hint]
        return self._shape(self.taken, hint, parameter.name)

    def _result(self, shapes, unwrap):
        returns = self.parameters.returns
        if returns is None:
            return None
        schema, _ = self._shape(shapes, unwrap(self._resolve(returns)), "return")
        return shapes.root(schema) or None

    def _returned(self, hint):
        """What one result is: of a stream, each item."""
        if self.command.kind != STREAM:
            return hint
        origin = typing.get_origin(hint) or hint
        if origin in _STREAMS:
            return (typing.get_args(hint) or (UNKNOWN,))[0]
        if hint is typing.Any:
            return hint
        raise self._refused("return", "it yields; write Iterator[…] or AsyncIterator[…] of what it yields")

    def _batch(self):
        """The first parameter is a list with the arguments of the calls, and the result one with their results."""
        items, convert = {}, None
        if self.parameters.named:
            first = self.parameters.named[0]
            items, convert = self._shape(self.taken, self._item(self._resolve(first), first.name), first.name)
        result = self._result(self.given, lambda hint: self._item(hint, "return"))
        return BatchContract(self.taken.root(items) or None, result, convert)

    def _item(self, hint, name):
        origin = typing.get_origin(hint)
        if origin in (collections.abc.Awaitable, collections.abc.Coroutine):
            return self._item(typing.get_args(hint)[-1], name)
        if origin in (list, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection):
            return typing.get_args(hint)[0]
        if hint in (UNKNOWN, typing.Any) or getattr(origin or hint, "__name__", None) in ("list", "ndarray"):
            return UNKNOWN
        raise self._refused(name, "a batch is a list; write list[…] of what one call takes, or gives")

    def _shape(self, shapes, hint, name):
        try:
            return shapes.shape(hint)
        except Inexpressible as reason:
            raise self._refused(name, str(reason)) from reason

    def _resolve(self, parameter):
        """The annotation itself, where it is written as text, or was by `from __future__ import annotations`."""
        if parameter.annotation is UNKNOWN:
            return UNKNOWN
        function = self.parameters.function
        holder = types.SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
        scope = _enclosing(function)
        try:
            return typing.get_type_hints(holder, getattr(function, "__globals__", {}), scope, include_extras=True)[parameter.name]
        except Exception as error:
            reason = "%r cannot be read (%s: %s)" % (parameter.annotation, type(error).__name__, error)
            remedy = "import what it names, also outside of TYPE_CHECKING; before Python 3.10 write Optional[…] and Union[…] for |"
            raise self._refused(parameter.name, "%s; %s; or write Any" % (reason, remedy)) from error

    def _refused(self, name, reason):
        where = "what it returns" if name == "return" else "parameter %r" % name
        private = "Where it is no command, begin its name with an underscore, or mark those that are with @command."
        return StartupError("command %r, %s, of %s: %s. %s" % (self.command.name, where, describe(self.command.function), reason, private))


def _enclosing(function):
    code = getattr(function, "__code__", None)
    names, cells = getattr(code, "co_freevars", ()), getattr(function, "__closure__", None) or ()
    found = {}
    for name, cell in zip(names, cells):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            pass
    return found
