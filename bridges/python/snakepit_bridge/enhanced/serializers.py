"""How objects of users' own classes are told to the host."""

_by_type = {}


def register_serializer(kind, serialize=None):
    """Tell objects of a class to the host as what `serialize(value)` returns, anything that can be sent itself.

    `kind` is the class, or its full name such as "package.module.Name", which need not be imported then. Usable as a decorator.
    """
    if serialize is None and isinstance(kind, (str, type)):
        return lambda function: register_serializer(kind, function)
    if not callable(serialize) or not isinstance(kind, (str, type)):
        raise TypeError("register_serializer takes a class, or its full name, and a function; not %r and %r" % (kind, serialize))
    _by_type[kind] = serialize
    return serialize


def serializer_of(kind):
    """The function registered for a class, or for the nearest of its bases; None where there is none."""
    if not _by_type:
        return None
    for base in kind.__mro__:
        found = _by_type.get(base) or _by_type.get("%s.%s" % (base.__module__, base.__qualname__))
        if found is not None:
            return found
    return None
