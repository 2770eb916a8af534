"""Make what is annotated of what arrives. A converter takes a value and the path to it, and raises Misfit."""

from .misfit import Misfit


def made_by(make, expected, kinds):
    """A converter that calls `make` with a value of one of `kinds`."""

    def convert(value, path):
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise Misfit(path, "is %s; expected %s" % (type(value).__name__, expected))
        return _made(make, value, path, expected)

    return convert


def enum_member(enum):
    """A converter to a member of an enum by its value."""
    expected = "one of %s" % ", ".join(repr(member.value) for member in enum)
    return lambda value, path: _made(enum, value, path, expected)


def list_of(convert_item, finish=None):
    """A converter of lists."""

    def convert(value, path):
        items = _checked(value, list, path)
        if convert_item is not None:
            items = [convert_item(item, "%s[%d]" % (path, index)) for index, item in enumerate(items)]
        return items if finish is None else _made(finish, items, path, "a list of other items")

    return convert


def tuple_of(converters, required, finish):
    """A converter of lists with an item for each of the converters, of which those after the first `required` may be left out."""
    expected = "%d" % required if required == len(converters) else "%d to %d" % (required, len(converters))

    def convert(value, path):
        items = _checked(value, list, path)
        if not required <= len(items) <= len(converters):
            raise Misfit(path, "has %d items; expected %s" % (len(items), expected))
        converted = [
            item if convert is None else convert(item, "%s[%d]" % (path, index))
            for index, (item, convert) in enumerate(zip(items, converters))
        ]
        return finish(converted)

    return convert


def map_of(convert_value, finish=None):
    """A converter of maps."""

    def convert(value, path):
        members = _checked(value, dict, path)
        if convert_value is not None:
            members = {key: convert_value(item, _member(path, key)) for key, item in members.items()}
        return members if finish is None else finish(members)

    return convert


class ObjectConverter:
    """Makes an object of a map by its fields; `fields` and `required` are filled in later, so that a class may refer to itself."""

    def __init__(self, make):
        self.make = make
        self.fields = {}
        self.required = ()

    def __call__(self, value, path):
        members = _checked(value, dict, path)
        for name in self.required:
            if name not in members:
                raise Misfit(_member(path, name), "is missing")
        given = {}
        for name, item in members.items():
            if name not in self.fields:
                raise Misfit(_member(path, name), "is unknown; known are %s" % ", ".join(self.fields))
            convert = self.fields[name]
            given[name] = item if convert is None else convert(item, _member(path, name))
        try:
            return self.make(**given)
        except (TypeError, ValueError) as error:
            raise Misfit(path, "does not fit: %s" % error) from error


class DictConverter:
    """Converts members of a map, and leaves all others; `fields` is filled in later."""

    def __init__(self):
        self.fields = {}

    def __call__(self, value, path):
        members = _checked(value, dict, path)
        if not self.fields:
            return members
        return {
            name: self.fields[name](item, _member(path, name)) if name in self.fields else item
            for name, item in members.items()
        }


def one_of(plain_kinds, converters):
    """A converter of unions: values of `plain_kinds` stay as they are, others become what the first converter makes that can."""

    def convert(value, path):
        if type(value) in plain_kinds:
            return value
        misfits = []
        for each in converters:
            try:
                return each(value, path)
            except Misfit as misfit:
                misfits.append(misfit)
        if len(misfits) == 1:
            raise misfits[0]
        reasons = "; or ".join(str(misfit) for misfit in misfits)
        raise Misfit(path, "fits none of what is allowed: %s" % reasons)

    return convert


def _made(make, value, path, expected):
    try:
        return make(value)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise Misfit(path, "is %.80r; expected %s" % (value, expected)) from error


def _checked(value, kind, path):
    if type(value) is not kind:
        raise Misfit(path, "is %s; expected a %s" % (type(value).__name__, "list" if kind is list else "map"))
    return value


def _member(path, name):
    return "%s.%s" % (path, name) if name.isidentifier() else "%s[%r]" % (path, name)
