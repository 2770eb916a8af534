"""Annotations that need no look at all: what most parameters are."""

from .parameters import UNKNOWN

ANY_ARRAY = {"x-value": "array"}
BINARY = {"x-value": "binary"}

_PLAIN = {
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    str: {"type": "string"},
    bytes: BINARY,
    memoryview: ANY_ARRAY,
    list: {"type": "array"},
    dict: {"type": "object"},
    object: {},
    None: {"type": "null"},
    type(None): {"type": "null"},
    UNKNOWN: {},
}
_BY_TEXT = {kind.__name__: schema for kind, schema in _PLAIN.items() if isinstance(kind, type)}
_BY_TEXT["None"] = {"type": "null"}
_BY_TEXT["Any"] = {}


def plain_schema(annotation):
    """The schema of an annotation, None where it needs a closer look."""
    try:
        return (_BY_TEXT if type(annotation) is str else _PLAIN).get(annotation)
    except TypeError:  # unhashable
        return None
