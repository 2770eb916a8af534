"""One caller's call: what it names, its arguments, and its answer."""

from .failures import NO_SESSION, BAD_ARGUMENT, refusal
from .from_wire import FromWire
from .resolver import Resolver
from .to_wire import ToWire, short_repr


class Caller:
    """Works within the guard, on the objects of the call's session; `objects` is None outside of one."""

    def __init__(self, service, objects):
        self.objects = objects
        self.allow = service.allow
        self._guard = service.guard
        self._plugins = service.plugins
        self._max_values = service.settings.max_values
        self._resolver = Resolver(service.allow, service.plugins)

    def __enter__(self):
        self._guard.__enter__()
        self._plugins.harden()
        return self

    def __exit__(self, *error):
        return self._guard.__exit__(*error)

    def run(self, target, args, kwargs, store_as=None):
        """Call, or read, what `target` names. Raises Refusal for what is not allowed, and whatever the called function raises."""
        self.check_store_as(store_as)
        return self.answer(self.invoke(target, args, kwargs), store_as)

    def invoke(self, target, args, kwargs):
        """The same without an answer: what was returned."""
        path = target.get("@ref") if isinstance(target, dict) else target
        found = self.resolve(path)
        positional, named = self._arguments(path, args, kwargs)
        if args is None and kwargs is None and not self._is_called_bare(found):
            return found
        self._resolver.check_callable(found, path)
        owner, name = getattr(found, "__self__", None), path.rpartition(".")[2]
        self._plugins.harden()
        self._plugins.check_arguments(found if owner is None else owner, name, positional, named)
        return found(*positional, **named)

    def resolve(self, path):
        """What a path names."""
        return self._resolver.resolve(path, self.objects)

    def decode(self, value):
        """An argument as it is meant, references resolved."""
        return FromWire(self._refer).decode(value)

    def encode(self, value):
        """A result as it is sent."""
        return ToWire(self._plugins, self._max_values, self._keep).encode(value)

    def check_store_as(self, name):
        """Raise Refusal where a result cannot be stored by that name."""
        if name is None:
            return
        if self.objects is None:
            raise refusal(NO_SESSION, "'storeAs' needs a session, whose objects its worker keeps; call it in a session")
        self.objects.check_name(name, self.allow.roots)

    def answer(self, value, store_as):
        """The value, or where it is to be stored a description of it."""
        return {"value": self.encode(value)} if store_as is None else self.put(store_as, value)

    def put(self, name, value):
        """Store a value by a name that was checked, and describe it."""
        self.objects.put(name, value)
        return {"stored": self.describe(name)}

    def describe(self, name):
        """What is told of a stored object."""
        value = self.objects[name]
        kind = type(value)
        shape = getattr(value, "shape", None)
        return {
            "name": name,
            "type": "%s.%s" % (kind.__module__, kind.__qualname__),
            "repr": short_repr(value),
            "bytes": self.objects.size_of(name),
            **({"shape": list(shape)} if isinstance(shape, tuple) and all(type(size) is int for size in shape) else {}),
        }

    def _refer(self, path):
        if self.objects is None and isinstance(path, str) and "." not in path:
            raise refusal(
                NO_SESSION, "the reference %.80r needs a session, whose objects its worker keeps; call it in a session" % path
            )
        if self.objects is not None and isinstance(path, str) and "." not in path:
            return self.objects[path]
        return self.resolve(path)

    def _arguments(self, path, args, kwargs):
        positional, named = self.decode(args or []), self.decode(kwargs or {})
        if not isinstance(positional, list) or not isinstance(named, dict) or not all(isinstance(name, str) for name in named):
            raise refusal(BAD_ARGUMENT, "'%s' takes a list of arguments and a map of named ones" % path)
        return positional, named

    @staticmethod
    def _is_called_bare(found):
        """Without arguments functions and classes are called, and data is read; so is a model that could be called as well."""
        return callable(found) and (isinstance(found, type) or hasattr(found, "__name__"))

    def _keep(self, value):
        return None if self.objects is None else self.objects.keep(value)
