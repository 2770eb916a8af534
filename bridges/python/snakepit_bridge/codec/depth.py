"""Nesting depth of values made of plain lists and dicts."""

_CONTAINERS = frozenset((dict, list, tuple))


def is_deeper(value, limit):
    """Tell whether lists and dicts are nested more than `limit` deep; a scalar has depth 0, `[1]` has 1."""
    level = [value] if type(value) in _CONTAINERS else []
    depth = 0
    while level:
        depth += 1
        if depth > limit:
            return True
        level = [
            item
            for container in level
            for item in (container.values() if type(container) is dict else container)
            if type(item) in _CONTAINERS
        ]
    return False
