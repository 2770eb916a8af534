"""The contract of one command: what its manifest says of arguments and results, and how arguments become what is annotated."""

from ..errors import INVALID_ARGUMENTS, Refusal
from .misfit import Misfit
from .parameters import read_parameters
from .plain_shapes import plain_schema


class Contract:
    """What a command takes and gives.

    `schema` and `result` are JSON Schema or None, `positional` the names that the items of a list stand for. `converters` are by
    parameter, of those only whose values are not passed as they come.
    """

    __slots__ = ("schema", "positional", "result", "converters", "rest_converter")

    def __init__(self, schema, positional, result, converters, rest_converter=None):
        self.schema = schema
        self.positional = positional
        self.result = result
        self.converters = converters
        self.rest_converter = rest_converter

    @property
    def converts(self):
        """Tell whether any argument is passed as something else than it comes."""
        return bool(self.converters) or self.rest_converter is not None

    def describe(self):
        """Its members of the manifest."""
        members = {"schema": self.schema, "positional": self.positional, "result": self.result}
        return {name: value for name, value in members.items() if value is not None}

    def convert(self, name, arguments):
        """The arguments of a call of the command `name`, as its function is to have them. Raises Refusal."""
        try:
            return self._convert(arguments)
        except Misfit as misfit:
            refusal = Refusal(INVALID_ARGUMENTS, "%s: %s %s" % (name, misfit.path, misfit))
            refusal.data = {"path": misfit.path}
            raise refusal from misfit.__cause__

    def _convert(self, arguments):
        kind = type(arguments)
        if kind is dict:
            return {name: self._one(name, value) for name, value in arguments.items()}
        names = self.positional or []
        if kind is not list:
            return self._one(names[0], arguments) if names and arguments is not None else arguments
        known = [self._one(name, value) for name, value in zip(names, arguments)]
        return known + arguments[len(known) :]

    def _one(self, name, value):
        convert = self.converters.get(name, self.rest_converter)
        return value if convert is None else convert(value, "args." + name)


class BatchContract(Contract):
    """The contract of a function that takes batches: all of it is about one of their calls."""

    __slots__ = ("item_converter",)

    def __init__(self, schema, result, item_converter):
        super().__init__(schema, None, result, {})
        self.item_converter = item_converter

    def _convert(self, arguments):
        return arguments if self.item_converter is None else self.item_converter(arguments, "args")


def contract_of(command):
    """The contract of a command, None where nothing is annotated. Raises StartupError for what no schema can express."""
    parameters = read_parameters(command.function)
    if parameters is None:
        return None
    parameters.drop(command.context_name)
    if not parameters.is_annotated:
        return None
    if command.batch is None and command.kind == "call" and all(
        plain_schema(annotation) is not None for annotation in parameters.annotations()
    ):
        return _plain_contract(parameters)
    from .signature import annotated_contract

    return annotated_contract(command, parameters)


def _plain_contract(parameters):
    """Where only the plainest types are annotated, there is no need of the module `typing`, which is slow to import."""
    result = None if parameters.returns is None else plain_schema(parameters.returns.annotation)
    if parameters.named and not parameters.takes_annotations:
        return Contract(None, None, result or None, {})
    properties = {}
    for each in parameters.named:
        schema = dict(plain_schema(each.annotation))
        if each.has_default and each.default is None and schema and schema != {"type": "null"}:
            is_type = "type" in schema
            schema = {"type": [schema["type"], "null"]} if is_type else {"anyOf": [schema, {"type": "null"}]}
        properties[each.name] = each.described(schema)
    rest = None if parameters.rest is None else plain_schema(parameters.rest.annotation)
    return Contract(parameters.schema(properties, rest), parameters.positional, result or None, {})
