"""Models of pydantic 2: they know their own schema, and make themselves of what arrives."""

from pydantic import ValidationError
from pydantic.json_schema import GenerateJsonSchema

from .misfit import Inexpressible, Misfit
from .plain_shapes import BINARY

_REFERENCE = "#/$defs/{model}"


class _AsItTravels(GenerateJsonSchema):
    """pydantic's schema, but for the values that JSON does not have and the protocol has."""

    def datetime_schema(self, schema):
        return {"x-value": "time"}

    def bytes_schema(self, schema):
        return dict(BINARY)

    def timedelta_schema(self, schema):
        return {"type": "number"}

    def decimal_schema(self, schema):
        text = {"type": "string", "format": "decimal"}
        return text if self.mode == "serialization" else {"anyOf": [{"type": "number"}, text]}


def model_shape(shapes, model):
    """Schema and converter of a model, whose definitions join the others."""
    name = model.__name__
    known = shapes.known(model)
    if known is not None:
        return known
    try:
        schema = model.model_json_schema(
            ref_template=_REFERENCE,
            schema_generator=_AsItTravels,
            mode="serialization" if shapes.is_result else "validation",
            by_alias=not shapes.is_result or bool(model.model_config.get("serialize_by_alias")),
        )
    except Exception as error:
        raise Inexpressible("pydantic has no schema of %s (%s)" % (name, error)) from error
    definitions = schema.pop("$defs", {})
    shapes.adopt(model, name, schema, definitions, None if shapes.is_result else _converter(model))
    return shapes.known(model)


def _converter(model):
    def convert(value, path):
        if isinstance(value, model):
            return value
        try:
            return model.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise Misfit(path + "".join(map(_step, first["loc"])), "does not fit: %s" % first["msg"]) from error

    return convert


def _step(key):
    if isinstance(key, int):
        return "[%d]" % key
    return ".%s" % key if str(key).isidentifier() else "[%r]" % key
