"""What the enhanced commands are told at the start."""

import json

from ..errors import StartupError
from .guard import PERMISSIONS

# Name in Python, name in the host's options, type, default.
_TABLE = (
    ("allow", "allow", list, None),
    ("plugins", "plugins", list, []),
    ("permit", "permit", list, []),
    ("read", "read", list, []),
    ("write", "write", list, []),
    ("max_objects", "maxObjects", int, 100),
    ("max_bytes", "maxBytes", int, 1 << 30),
    ("max_values", "maxValues", int, 100_000),
)


class Settings:
    """Checked settings; each is an attribute named as in Python."""

    def __init__(self, **given):
        unknown = set(given) - {name for name, _, _, _ in _TABLE}
        if unknown:
            raise StartupError(
                "Enhanced has no setting %s; there are %s" % (", ".join(sorted(unknown)), ", ".join(row[0] for row in _TABLE))
            )
        for name, _, kind, default in _TABLE:
            setattr(self, name, _checked(name, kind, given.get(name, default)))
        for permission in self.permit:
            if permission not in PERMISSIONS:
                raise StartupError("Enhanced: %r cannot be permitted; allowed are %s" % (permission, ", ".join(PERMISSIONS)))


def settings_from_json(text):
    """The settings as the host writes them on a command line. Raises StartupError."""
    try:
        given = json.loads(text)
    except ValueError as error:
        raise StartupError("--enhanced takes JSON: %s" % error) from None
    if not isinstance(given, dict):
        raise StartupError("--enhanced takes a JSON object, not %.80r" % (given,))
    names = {wire: name for name, wire, _, _ in _TABLE}
    return {names.get(key, key): value for key, value in given.items()}


def _checked(name, kind, value):
    if kind is list and isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return list(value)
    if kind is int and type(value) is int and value > 0:
        return value
    wanted = "a list of strings" if kind is list else "a positive integer"
    raise StartupError("Enhanced: %s is %.80r; it has to be %s" % (name, value, wanted))
