"""What annotations mean: the schema of the values as they travel, and how what arrives becomes what is annotated."""

import collections
import collections.abc
import datetime
import enum
import sys
import types
import typing

from . import converters
from .metadata import refine
from .misfit import Inexpressible
from .parameters import UNKNOWN, is_short_json
from .plain_shapes import ANY_ARRAY, BINARY

_ANYTHING = ({}, None)
_UNIONS = (typing.Union, getattr(types, "UnionType", typing.Union))
_LISTS = (list, collections.abc.Sequence, collections.abc.MutableSequence, collections.abc.Collection, collections.abc.Iterable)
_ITERATORS = (
    collections.abc.Iterator,
    collections.abc.Generator,
    collections.abc.AsyncIterator,
    collections.abc.AsyncGenerator,
    collections.abc.AsyncIterable,
)
_MAPS = (dict, collections.abc.Mapping, collections.abc.MutableMapping, collections.OrderedDict)
_SETS = (set, frozenset, collections.abc.Set, collections.abc.MutableSet)
_AWAITABLES = (collections.abc.Awaitable, collections.abc.Coroutine)
_SCALARS = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"))
_ELEMENTS = {"i": "i", "u": "u", "f": "f"}
_PLAIN_OF_JSON = {
    "null": (type(None),),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "array": (list,),
    "object": (dict,),
}
_SENT_BY_METHOD = ("model_dump", "to_dict", "tolist", "item")


class Shapes:
    """Reads annotations of one direction: of arguments, or of results. `definitions` are what their schemas refer to."""

    def __init__(self, is_result):
        self.is_result = is_result
        self.definitions = {}
        self._named = {}

    def root(self, schema):
        """A schema with the definitions that it refers to."""
        return {**schema, "$defs": self.definitions} if self.definitions else schema

    def shape(self, hint):
        """Schema and converter of an annotation; the converter is None where values stay as they come. Raises Inexpressible."""
        if hint is UNKNOWN or hint is typing.Any or hint is object:
            return _ANYTHING
        if hint is None or hint is type(None):
            return {"type": "null"}, None
        while hasattr(hint, "__supertype__"):
            hint = hint.__supertype__
        if type(hint).__name__ == "TypeAliasType":
            return self._alias(hint)
        origin = typing.get_origin(hint)
        if origin is None:
            return self._bare(hint)
        args = typing.get_args(hint)
        return self._parametrized(hint, origin, args) if args else self._bare(origin)

    # ---- typing's own forms ----------------------------------------------------------------------------------------

    def _parametrized(self, hint, origin, args):
        if _is_annotated(hint):
            schema, convert = self.shape(args[0])
            return refine(schema, hint.__metadata__), convert
        if origin in _UNIONS:
            return self._union(args)
        if origin is typing.Literal or getattr(origin, "_name", None) == "Literal":
            return self._literal(args)
        if getattr(origin, "_name", None) in ("Final", "Required", "NotRequired", "ReadOnly"):
            return self.shape(args[0])
        if origin in _AWAITABLES and self.is_result:
            return self.shape(args[-1])
        if origin is tuple:
            return self._tuple(args)
        if origin in _LISTS:
            return self._list(args[0])
        if origin in _MAPS:
            return self._map(origin, *args)
        if origin in _SETS:
            return self._set(origin, args[0])
        if origin is collections.deque:
            return self._list(args[0], collections.deque)
        if origin in _ITERATORS:
            raise _iterator(hint)
        if _is_numpy_array(origin):
            return self._numpy_array(args)
        if type(origin).__name__ == "TypeAliasType":
            raise _inexpressible(hint, "write out what the alias stands for")
        return self._bare(hint)

    def _union(self, args):
        schemas, plain_kinds, found = [], set(), []
        for arg in args:
            schema, convert = self.shape(arg)
            if schema not in schemas:
                schemas.append(schema)
            if convert is None:
                plain_kinds.update(_kinds_of(schema))
            else:
                found.append(convert)
        if {} in schemas:
            schema = {}
        elif all(each.keys() == {"type"} and type(each["type"]) is str for each in schemas):
            schema = {"type": [each["type"] for each in schemas]} if len(schemas) > 1 else schemas[0]
        else:
            schema = {"anyOf": schemas} if len(schemas) > 1 else schemas[0]
        if not found:
            return schema, None
        return schema, converters.one_of(plain_kinds, found)

    def _literal(self, args):
        for each in args:
            if not is_short_json(each):
                raise Inexpressible("Literal[%r] is no text, number, True, False or None; write one of these" % (each,))
        return ({"const": args[0]} if len(args) == 1 else {"enum": list(args)}), None

    def _tuple(self, args):
        if len(args) == 2 and args[1] is Ellipsis:
            return self._list(args[0], tuple)
        items = [] if args == ((),) else args
        return self._row([("", item) for item in items], len(items), tuple)

    def _row(self, fields, required, finish):
        """A list with a place for each field."""
        shapes = [self.shape(hint) for _, hint in fields]
        schemas = [{"title": name, **schema} if name else schema for (name, _), (schema, _) in zip(fields, shapes)]
        least = len(fields) if self.is_result else required
        schema = {"type": "array", "minItems": least, "maxItems": len(fields)}
        if schemas:
            schema["prefixItems"] = schemas
        if self.is_result:
            return schema, None
        return schema, converters.tuple_of([convert for _, convert in shapes], required, finish)

    def _list(self, item, finish=None):
        schema, convert = self.shape(item)
        described = {"type": "array", **({"items": schema} if schema else {})}
        if self.is_result or (convert is None and finish is None):
            return described, None
        return described, converters.list_of(convert, finish)

    def _set(self, origin, item):
        if self.is_result:
            raise Inexpressible("a set has no order and cannot be sent; return a list, and write list[…]")
        return self._list(item, frozenset if origin is frozenset else set)

    def _map(self, origin, key, value):
        self._assert_key(key)
        schema, convert = self.shape(value)
        described = {"type": "object", **({"additionalProperties": schema} if schema else {})}
        finish = collections.OrderedDict if origin is collections.OrderedDict else None
        if self.is_result or (convert is None and finish is None):
            return described, None
        return described, converters.map_of(convert, finish)

    def _assert_key(self, key):
        if key in (str, typing.Any):
            return
        if self.is_result and key in (int, float, bool, type(None)):
            return
        schema, convert = self.shape(key)
        if schema.get("type") == "string" and convert is None:
            return
        if schema.keys() <= {"const", "enum"} and all(type(each) is str for each in schema.get("enum", [schema.get("const")])):
            return
        raise Inexpressible("the keys of a map are text when they travel; write dict[str, …], and convert them in the command")

    # ---- classes ---------------------------------------------------------------------------------------------------

    def _bare(self, hint):
        if hint in _MAPS or hint in (typing.Dict, typing.Mapping):
            return {"type": "object"}, None
        if not isinstance(hint, type):
            return self._other(hint)
        if issubclass(hint, enum.Enum):
            return self._reference(hint, self._enum)
        if "pydantic" in sys.modules and hasattr(hint, "model_json_schema"):
            from .pydantic_models import model_shape

            return model_shape(self, hint)
        if hasattr(hint, "__dataclass_fields__"):
            return self._reference(hint, self._dataclass)
        if issubclass(hint, tuple) and hasattr(hint, "_fields"):
            return self._reference(hint, self._named_tuple)
        if hasattr(hint, "__required_keys__"):
            return self._reference(hint, self._typed_dict)
        return self._known(hint)

    def _known(self, hint):
        if hint is bytes:
            return BINARY, None
        if hint is bytearray:
            return BINARY, converters.made_by(bytearray, "binary", (bytes, memoryview))
        if hint is memoryview:
            return ANY_ARRAY, None
        if hint is tuple:
            return self._list(UNKNOWN, tuple)
        if hint in _SETS:
            return self._set(hint, UNKNOWN)
        if hint is collections.deque:
            return self._list(UNKNOWN, collections.deque)
        if hint in _LISTS:
            return {"type": "array"}, None
        if hint in _ITERATORS or hint in _AWAITABLES:
            raise _iterator(hint)
        if _is_numpy_array(hint):
            return self._numpy_array(())
        for kind, name in _SCALARS:
            if hint is kind:
                return {"type": name}, None
        library = _library_shape(hint)
        if library is not None:
            return library
        return self._derived(hint)

    def _derived(self, hint):
        """Classes that extend what travels, or that are sent by a method of theirs."""
        for kind, name in _SCALARS:
            if kind is not bool and issubclass(hint, kind):
                return {"type": name}, converters.made_by(hint, "what %s takes" % hint.__name__, (kind,))
        if self.is_result and issubclass(hint, dict):
            return {"type": "object"}, None
        if self.is_result and issubclass(hint, (list, tuple)):
            return {"type": "array"}, None
        if self.is_result and any(callable(getattr(hint, method, None)) for method in _SENT_BY_METHOD):
            return _ANYTHING
        if self.is_result and hint.__module__ == "array" and hint.__name__ == "array":
            return ANY_ARRAY, None
        raise _inexpressible(hint)

    def _other(self, hint):
        """Forms of typing without arguments."""
        name = getattr(hint, "_name", None) or getattr(hint, "__name__", None)
        if name in ("NoReturn", "Never") and self.is_result:
            return _ANYTHING
        if name == "LiteralString":
            return {"type": "string"}, None
        raise _inexpressible(hint)

    def _alias(self, alias):
        if alias in self._named:
            return self._named[alias]
        name = self._free_name(alias.__name__)
        late = []
        reference = ({"$ref": "#/$defs/" + name}, None if self.is_result else lambda value, path: late[0](value, path))
        self._named[alias] = reference
        self.definitions[name] = {}
        schema, convert = self.shape(alias.__value__)
        self.definitions[name] = schema
        late.append(convert or (lambda value, path: value))
        return reference

    def _reference(self, kind, describe):
        """A class has its schema among the definitions, once, so that it may refer to itself."""
        if kind not in self._named:
            name = self._free_name(kind.__name__)
            self.definitions[name] = {}
            describe(kind, name)
        return self._named[kind]

    def _free_name(self, wanted):
        name = "".join(character if character.isascii() and (character.isalnum() or character in "_.-") else "_" for character in wanted)
        free, count = name[:100], 1
        while free in self.definitions:
            count += 1
            free = "%s%d" % (name[:100], count)
        return free

    def define(self, kind, name, convert):
        """Let `kind` be known as the definition `name`, before its fields are looked at."""
        self._named[kind] = ({"$ref": "#/$defs/" + name}, None if self.is_result else convert)

    def known(self, kind):
        """The shape of a class that was met before, else None."""
        return self._named.get(kind)

    def adopt(self, kind, name, schema, definitions, convert):
        """Take in a class that describes itself, with what its schema refers to."""
        taken = {each: self._free_name(each) for each in definitions if self.definitions.get(each) != definitions[each]}
        own = taken.get(name) if "$ref" in schema and len(schema) == 1 else None
        for each, definition in definitions.items():
            if each in taken:
                self.definitions[taken[each]] = _renamed(definition, taken)
        if own is None:
            own = self._free_name(name)
            self.definitions[own] = _renamed(schema, taken)
        self.define(kind, own, convert)

    def _enum(self, kind, name):
        values = [member.value for member in kind]
        for each in values:
            if not is_short_json(each):
                raise Inexpressible("%s has the value %.40r, which is no text, number, True, False or None" % (kind.__name__, each))
        self.define(kind, name, converters.enum_member(kind))
        self.definitions[name] = {**_documented(kind), "enum": values}

    def _dataclass(self, kind, name):
        convert = converters.ObjectConverter(kind)
        self.define(kind, name, convert)
        hints = _field_hints(kind)
        properties, required = {}, []
        for field in kind.__dataclass_fields__.values():
            if field._field_type.name != "_FIELD" or not (field.init or self.is_result):
                continue
            schema, converters_of_field = self._field(kind, field.name, hints)
            properties[field.name] = schema
            convert.fields[field.name] = converters_of_field
            if self.is_result or type(field.default).__name__ == type(field.default_factory).__name__ == "_MISSING_TYPE":
                required.append(field.name)
            elif "$ref" not in schema and is_short_json(field.default):
                properties[field.name] = {**schema, "default": field.default}
        convert.required = required
        self.definitions[name] = self._object(kind, properties, required, is_closed=not self.is_result)

    def _typed_dict(self, kind, name):
        convert = converters.DictConverter()
        self.define(kind, name, convert)
        hints = _field_hints(kind)
        properties, required = {}, []
        for field, hint in hints.items():
            is_required = field in kind.__required_keys__
            marker = getattr(typing.get_origin(hint), "_name", None)
            if marker in ("Required", "NotRequired"):
                is_required = marker == "Required"
            properties[field], convert_field = self._field(kind, field, hints)
            if convert_field is not None:
                convert.fields[field] = convert_field
            if is_required:
                required.append(field)
        self.definitions[name] = self._object(kind, properties, required, is_closed=False)

    def _named_tuple(self, kind, name):
        late = []
        self.define(kind, name, lambda value, path: late[0](value, path))
        hints = _field_hints(kind)
        fields = [(field, hints.get(field, UNKNOWN)) for field in kind._fields]
        try:
            schema, convert = self._row(fields, len(fields) - len(kind._field_defaults), lambda items: kind(*items))
        except Inexpressible as reason:
            raise Inexpressible("in %s: %s" % (kind.__name__, reason)) from None
        late.append(convert)
        self.definitions[name] = {**_documented(kind), **schema}

    def _field(self, kind, field, hints):
        try:
            return self.shape(hints.get(field, UNKNOWN))
        except Inexpressible as reason:
            raise Inexpressible("%s.%s: %s" % (kind.__name__, field, reason)) from None

    def _object(self, kind, properties, required, is_closed):
        return {
            **_documented(kind),
            "type": "object",
            "properties": properties,
            **({"required": required} if required else {}),
            **({"additionalProperties": False} if is_closed else {}),
        }

    # ---- numpy -----------------------------------------------------------------------------------------------------

    def _numpy_array(self, args):
        """An array of one dimension travels as a typed array, any other as lists in lists."""
        dtype = _dtype(args[1]) if len(args) == 2 else None
        name = None if dtype is None else "%s%d" % (_ELEMENTS.get(dtype.kind, "?"), dtype.itemsize)
        elements = {"x-elements": [name]} if name in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8") else {}
        schema = {"anyOf": [{**ANY_ARRAY, **elements}, {"type": "array"}]}
        if self.is_result:
            return schema, None
        numpy = sys.modules["numpy"]

        def make(value):
            if isinstance(value, bytes):
                return numpy.frombuffer(value, dtype=dtype or "u1")
            return numpy.asarray(value, dtype=dtype)

        return schema, converters.made_by(make, "an array of numbers", (list, bytes, memoryview))


def _library_shape(hint):
    """Classes of Python's own library that travel in another form."""
    if hint is datetime.datetime:
        return {"x-value": "time"}, None
    if hint is datetime.date:
        return {"type": "string", "format": "date"}, converters.made_by(hint.fromisoformat, "a date such as 2026-01-31", (str,))
    if hint is datetime.time:
        return {"type": "string", "format": "time"}, converters.made_by(hint.fromisoformat, "a time such as 12:00:00", (str,))
    if hint is datetime.timedelta:
        return {"type": "number"}, converters.made_by(lambda seconds: hint(seconds=seconds), "a number of seconds", (int, float))
    name = "%s.%s" % (hint.__module__, hint.__qualname__)
    if name == "uuid.UUID":
        return {"type": "string", "format": "uuid"}, converters.made_by(hint, "a UUID", (str,))
    if name == "decimal.Decimal":
        return {"type": "string", "format": "decimal"}, converters.made_by(hint, "a decimal number as text", (str, int))
    if name.startswith("pathlib.") or hint.__module__.startswith("pathlib."):
        return {"type": "string", "format": "path"}, converters.made_by(hint, "a path", (str,))
    if name.startswith("numbers."):
        return {"type": "number"}, None
    return None


def _is_annotated(hint):
    return hasattr(hint, "__metadata__") and hasattr(hint, "__origin__")


def _is_numpy_array(kind):
    numpy = sys.modules.get("numpy")
    return numpy is not None and kind is numpy.ndarray


def _dtype(argument):
    """The dtype of `numpy.dtype[numpy.float64]`, None where that names no single one."""
    args = typing.get_args(argument)
    if len(args) != 1 or not isinstance(args[0], type):
        return None
    try:
        return sys.modules["numpy"].dtype(args[0])
    except TypeError:
        return None


def _field_hints(kind):
    try:
        return typing.get_type_hints(kind, include_extras=True)
    except Exception as error:
        raise Inexpressible(
            "the annotations of %s cannot be read (%s: %s); import what they name, outside of TYPE_CHECKING and of functions"
            % (kind.__name__, type(error).__name__, error)
        ) from error


def _documented(kind):
    """The docstring of a class, unless it was made by Python."""
    doc = vars(kind).get("__doc__")
    if not isinstance(doc, str) or doc.startswith(kind.__name__ + "(") or doc == "An enumeration.":
        return {}
    return {"description": " ".join(doc.split())[:1000]}


def _renamed(schema, names):
    """A schema whose references follow its definitions to other names."""
    if isinstance(schema, list):
        return [_renamed(each, names) for each in schema]
    if not isinstance(schema, dict):
        return schema
    renamed = {key: _renamed(value, names) for key, value in schema.items()}
    reference = schema.get("$ref")
    if isinstance(reference, str):
        name = reference.rpartition("/")[2]
        renamed["$ref"] = "#/$defs/" + names.get(name, name)
    return renamed


def _kinds_of(schema):
    """The types of what fits a schema and stays as it comes."""
    named = schema.get("type")
    if named is not None:
        return [kind for name in ([named] if type(named) is str else named) for kind in _PLAIN_OF_JSON[name]]
    if "x-value" in schema:
        return (datetime.datetime,) if schema["x-value"] == "time" else (bytes, memoryview)
    if "anyOf" in schema:
        return [kind for each in schema["anyOf"] for kind in _kinds_of(each)]
    if "enum" in schema or "const" in schema:
        return [type(each) for each in schema.get("enum", [schema.get("const")])]
    return (bool, int, float, str, bytes, memoryview, list, dict, type(None), datetime.datetime)


def _iterator(hint):
    return Inexpressible("%s is an iterator; only commands that yield are streams, so yield from it, or use a list" % _name(hint))


def _inexpressible(hint, remedy=None):
    what = "%s is nothing that travels between processes" % _name(hint)
    return Inexpressible("%s; %s" % (what, remedy or "write a dataclass, TypedDict, dict, list or scalar, or Any to leave it unchecked"))


def _name(hint):
    if isinstance(hint, type):
        return hint.__qualname__ if hint.__module__ == "builtins" else "%s.%s" % (hint.__module__, hint.__qualname__)
    return repr(hint)[:120]
