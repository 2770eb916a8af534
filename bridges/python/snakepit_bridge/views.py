"""Binary arguments: a parameter annotated memoryview gets to see memory that is not its own, all others get a copy."""


def share_views(arguments, names, view_names):
    """The arguments of a call, received without copies, as a function is to have them.

    `names` are the function's parameters in order, `view_names` those that take views: they get bytes as a memoryview too, so that
    a value's type does not depend on its size.
    """
    kind = type(arguments)
    if kind is dict:
        return {name: _share(value) if name in view_names else _own(value) for name, value in arguments.items()}
    if kind is list:
        known = list(names) + [None] * len(arguments)
        return [_share(value) if name in view_names else _own(value) for name, value in zip(known, arguments)]
    return _share(arguments) if names and names[0] in view_names else _own(arguments)


def _share(value):
    return memoryview(value) if type(value) is bytes else value


def _own(value):
    """A copy of what a view shows, wherever it stands in the value: bytes, or a typed array of bytes of its own."""
    kind = type(value)
    if kind is memoryview:
        return value.tobytes() if value.format == "B" else memoryview(value.tobytes()).cast(value.format)
    if kind is dict:
        return {key: _own(item) for key, item in value.items()}
    if kind is list:
        return [_own(item) for item in value]
    return value
