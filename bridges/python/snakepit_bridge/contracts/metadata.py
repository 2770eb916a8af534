"""What `Annotated` adds to a type: a description, and limits in the words of annotated_types and pydantic."""

_KEYWORDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
}
_LENGTHS = {"min_length": "min", "max_length": "max"}


def refine(schema, metadata):
    """The schema with what the metadata says; what is not understood is left for others."""
    added = {}
    for each in metadata:
        _read(each, schema, added)
    if not added:
        return schema
    # What stands beside a reference is for the reader of this place only.
    return {**schema, **added}


def _read(each, schema, added):
    if isinstance(each, str):
        added["description"] = each
        return
    for name in ("description", "documentation"):
        text = getattr(each, name, None)
        if isinstance(text, str):
            added["description"] = text
    for name, keyword in _KEYWORDS.items():
        limit = getattr(each, name, None)
        if isinstance(limit, (int, float)) and not isinstance(limit, bool):
            added[keyword] = limit
    for name, side in _LENGTHS.items():
        limit = getattr(each, name, None)
        unit = {"string": "Length", "array": "Items", "object": "Properties"}.get(_type_of(schema))
        if type(limit) is int and unit is not None:
            added[side + unit] = limit
    for inner in getattr(each, "metadata", None) or ():
        if inner is not each:
            _read(inner, schema, added)


def _type_of(schema):
    kind = schema.get("type")
    return kind if isinstance(kind, str) else None
