"""Objects that sessions keep in this worker."""

import sys
from collections import OrderedDict

from .failures import BAD_ARGUMENT, DELETED_OBJECT, QUOTA, UNKNOWN_OBJECT, StoreFull, refusal

_MAX_NAME = 100
_MAX_TOMBSTONES = 200
_MAX_TEMPORARIES = 8
_MAX_COUNTED_ITEMS = 10000
TEMPORARY_PREFIX = "_"


class ObjectStore:
    """The objects of one session by name, within a quota; also a few unnamed results, the oldest of which go by themselves."""

    def __init__(self, max_objects, max_bytes, measure):
        self._max_objects = max_objects
        self._max_bytes = max_bytes
        self._measure = measure
        self._named = {}
        self._sizes = {}
        self._temporary = OrderedDict()
        self._count = 0
        self._deleted = OrderedDict()
        self.settings = {}

    def __contains__(self, name):
        return name in self._named or name in self._temporary

    def __iter__(self):
        return iter(self._named)

    def __len__(self):
        return len(self._named)

    def __getitem__(self, name):
        """The object of a name. Raises Refusal, which says whether there was one."""
        if name in self._named:
            return self._named[name]
        if name in self._temporary:
            return self._temporary[name]
        self.check_deleted(name)
        known = ", ".join(sorted(self._named)[:20]) or "none"
        raise refusal(
            UNKNOWN_OBJECT,
            "there is no stored object %.100r in this session; there are: %s" % (name, known),
            name=str(name)[:_MAX_NAME],
        )

    def check_deleted(self, name):
        """Raise Refusal where there was an object of that name, and is none."""
        if name in self._deleted and name not in self:
            raise refusal(DELETED_OBJECT, "the stored object %r was deleted; store it again" % name, name=name)

    @property
    def bytes(self):
        """What the named objects take, as far as it can be told."""
        return sum(self._sizes.values())

    def check_name(self, name, roots):
        """Raise Refusal where nothing can be stored by that name; that of a module would hide it."""
        if (
            not isinstance(name, str)
            or not name.isidentifier()
            or not name.isascii()
            or len(name) > _MAX_NAME
            or name.startswith("_")
        ):
            raise refusal(
                BAD_ARGUMENT,
                "an object is stored by a name of letters, digits and underscores that begins with a letter, not %.100r"
                % (name,),
            )
        if name in roots:
            raise refusal(BAD_ARGUMENT, "%r is the name of an allowed module; store the object by another name" % name, name=name)
        if name not in self._named and len(self._named) >= self._max_objects:
            raise refusal(
                QUOTA,
                "the session holds %d objects, as many as it may (`enhanced.maxObjects`); delete some" % len(self._named),
                limit=self._max_objects,
            )

    def put(self, name, value):
        """Keep a value by a name that was checked. Raises StoreFull."""
        size = self._measure(value)
        total = self.bytes - self._sizes.get(name, 0) + size
        if total > self._max_bytes:
            raise StoreFull(
                "%r would make the session's objects take %d bytes, more than it may (`enhanced.maxBytes` %d); delete some, or store less"
                % (name, total, self._max_bytes),
                limit=self._max_bytes,
                bytes=total,
            )
        self._named[name] = value
        self._sizes[name] = size
        self._deleted.pop(name, None)

    def keep(self, value):
        """Keep a result for a while, so that it can be stored after all; returns its name, None where it is too large for that."""
        if self.bytes + self._measure(value) > self._max_bytes:
            return None
        self._count += 1
        name = "%s%d" % (TEMPORARY_PREFIX, self._count)
        self._temporary[name] = value
        while len(self._temporary) > _MAX_TEMPORARIES:
            self._bury(self._temporary.popitem(last=False)[0])
        return name

    def delete(self, name):
        """Let go of an object. Raises Refusal where there is none."""
        self[name]
        self._named.pop(name, None)
        self._temporary.pop(name, None)
        self._sizes.pop(name, None)
        self._bury(name)

    def size_of(self, name):
        """The bytes of a named object, as far as they can be told."""
        return self._sizes.get(name, 0)

    def _bury(self, name):
        self._deleted[name] = True
        while len(self._deleted) > _MAX_TOMBSTONES:
            self._deleted.popitem(last=False)


def measure_by(plugins):
    """A function that estimates what a value takes, by what plugins know; it looks at a bounded number of parts, and at each once."""

    def measure(value):
        total, seen, rest = 0, set(), [value]
        while rest and len(seen) < _MAX_COUNTED_ITEMS:
            part = rest.pop()
            if id(part) in seen:
                continue
            seen.add(id(part))
            size = next((size for size in (plugin.size_of(part) for plugin in plugins.of_value(part)) if size is not None), None)
            if size is not None:
                total += int(size)
            else:
                total += sys.getsizeof(part, 0)
                rest.extend(_parts(part))
        return total

    return measure


def _parts(value):
    if isinstance(value, dict):
        return [each for pair in value.items() for each in pair]
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    return list(vars(value).values()) if hasattr(value, "__dict__") and not isinstance(value, type) else []
