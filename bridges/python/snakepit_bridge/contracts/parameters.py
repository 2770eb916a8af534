"""The parameters of a function, as its code object tells them, without the module `inspect`, which is slow to import."""

UNKNOWN = type("Unknown", (), {"__slots__": (), "__repr__": lambda self: "UNKNOWN"})()
"""Stands for the annotation of what has none."""

_VARARGS = 0x04
_VARKEYWORDS = 0x08
_MAX_DEFAULT_TEXT = 200


class Parameter:
    """One parameter, or what a function returns."""

    __slots__ = ("name", "annotation", "has_default", "default")

    def __init__(self, name, annotation, default=UNKNOWN):
        self.name = name
        self.annotation = annotation
        self.has_default = default is not UNKNOWN
        self.default = default

    def described(self, schema):
        """The schema with the default, where that is something that JSON has and that is short."""
        if not self.has_default or "$ref" in schema or not is_short_json(self.default):
            return schema
        return {**schema, "default": self.default}


class Parameters:
    """All parameters of a function: `named` can be given by name, `rest` stands for any other name."""

    def __init__(self, function, named, positional_count, rest, returns):
        self.function = function
        self.named = named
        self.positional = [each.name for each in named[:positional_count]]
        self.rest = rest
        self.returns = returns

    def drop(self, name):
        """Leave out the parameter that no caller gives."""
        self.named = [each for each in self.named if each.name != name]
        self.positional = [each for each in self.positional if each != name]

    @property
    def takes_annotations(self):
        """Tell whether a parameter is annotated."""
        taken = [*self.named, *([] if self.rest is None else [self.rest])]
        return any(each.annotation is not UNKNOWN for each in taken)

    @property
    def is_annotated(self):
        """Tell whether anything is annotated."""
        return self.returns is not None or self.takes_annotations

    def annotations(self):
        """All annotations, UNKNOWN for what has none."""
        others = [each for each in (self.rest, self.returns) if each is not None]
        return [each.annotation for each in (*self.named, *others)]

    def schema(self, properties, rest):
        """The schema of the arguments, made of those of the parameters, and of any others."""
        required = [each.name for each in self.named if not each.has_default]
        others = False if self.rest is None else rest or True
        return {
            "type": "object",
            "properties": properties,
            **({"required": required} if required else {}),
            **({} if others is True else {"additionalProperties": others}),
        }


def read_parameters(function):
    """The Parameters of a function, None for what is no function of Python's."""
    inner = _innermost(function)
    code = getattr(inner, "__code__", None)
    if code is None:
        return None
    skipped = 1 if hasattr(inner, "__self__") else 0
    annotations = getattr(inner, "__annotations__", None) or {}
    count = code.co_argcount
    names = list(code.co_varnames[: count + code.co_kwonlyargcount])
    defaults = dict(zip(names[count - len(inner.__defaults__ or ()) : count], inner.__defaults__ or ()))
    defaults.update(inner.__kwdefaults__ or {})
    named = [Parameter(name, annotations.get(name, UNKNOWN), defaults.get(name, UNKNOWN)) for name in names[skipped:]]
    rest = None
    if code.co_flags & _VARKEYWORDS:
        name = code.co_varnames[len(names) + (1 if code.co_flags & _VARARGS else 0)]
        rest = Parameter(name, annotations.get(name, UNKNOWN))
    returns = Parameter("return", annotations["return"]) if "return" in annotations else None
    return Parameters(inner, named, count - skipped, rest, returns)


def is_short_json(value):
    """Tell whether a value can stand in a schema as it is."""
    if isinstance(value, float):
        return type(value) is float and value - value == 0
    if isinstance(value, str):
        return type(value) is str and len(value) <= _MAX_DEFAULT_TEXT and value.isprintable()
    if type(value) is int:
        return abs(value) < 2**53
    return value is None or type(value) is bool


def _innermost(function):
    seen = 0
    while hasattr(function, "__wrapped__") and seen < 100:
        function = function.__wrapped__
        seen += 1
    return function
