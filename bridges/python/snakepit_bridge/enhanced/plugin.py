"""What the enhanced commands know of a framework, which plugins tell them."""

import sys
from importlib import import_module

from .failures import BAD_ARGUMENT, NOT_ALLOWED, refusal

_BUILT_IN = ("numpy", "pandas", "sklearn", "scipy", "joblib", "transformers", "dspy")
# Arguments by which libraries are told to run what they find in a file, or to free memory that is in use.
_DENIED_ARGUMENTS = frozenset(("allow_pickle", "refcheck", "trust_remote_code"))
_registered = {}


class Plugin:
    """What is known of one framework; subclasses override what they know better.

    `package` is its module, `denied` names members that are never called since they run or unpickle what they are given,
    `dispatchers` those that take the name of another member as a string.
    """

    package = ""
    denied = frozenset()
    dispatchers = frozenset()

    def serialize(self, value, encoder):
        """The wire form of a value of this framework's; NotImplemented where it is none. `encoder.encode` does parts of it."""
        return NotImplemented

    def size_of(self, value):
        """The bytes that a value takes; None where that cannot be told."""
        return None

    def harden(self):
        """Run once, when the package is imported: closes what a list of names cannot."""

    def configure(self, settings):
        """Take settings of the framework, a dict; returns what is told to the caller."""
        raise refusal(BAD_ARGUMENT, "%s has nothing to configure here" % self.package)


def register_plugin(plugin):
    """Make a plugin known, in place of another one of the same package."""
    _registered[plugin.package] = plugin
    return plugin


class Plugins:
    """The plugins of the frameworks that are loaded."""

    def __init__(self, packages=()):
        self._unhardened = set(packages) | set(_BUILT_IN)

    def harden(self):
        """Let the plugins of packages that have been imported close what they have to."""
        for package in [name for name in self._unhardened if name in sys.modules]:
            plugin = self.of_package(package)
            self._unhardened.discard(package)
            if plugin is not None:
                plugin.harden()

    def of_package(self, package):
        """The plugin of a package, or None."""
        if package not in _registered and package in _BUILT_IN:
            register_plugin(import_module("%s.plugins.%s" % (__package__, package)).PLUGIN)
        return _registered.get(package)

    def of_value(self, value):
        """The plugins of the packages that a value's classes come from, the nearest first."""
        seen = []
        for kind in type(value).__mro__[:-1]:
            plugin = self.of_package(str(kind.__module__).split(".")[0])
            if plugin is not None and plugin not in seen:
                seen.append(plugin)
        return seen

    def denies(self, owner, name):
        """Tell whether a plugin keeps callers from this member."""
        return any(name in plugin.denied for plugin in self._of_owner(owner))

    def denies_object(self, found):
        """Tell whether a plugin keeps callers from this class or function, by whatever name it was found."""
        name = getattr(found, "__name__", None)
        if not isinstance(name, str) or isinstance(found, type(sys)):
            return False
        plugin = self.of_package(str(getattr(found, "__module__", None)).split(".")[0])
        return plugin is not None and name in plugin.denied

    def check_arguments(self, owner, name, args, kwargs):
        """Raise Refusal where arguments name, as strings, what may not be called."""
        for argument in _DENIED_ARGUMENTS & set(kwargs):
            raise refusal(NOT_ALLOWED, "%s: the argument '%s' is not for callers" % (name, argument), name=argument)
        plugins = self._of_owner(owner)
        if not any(name in plugin.dispatchers for plugin in plugins):
            return
        for text in _texts((args, kwargs)):
            if (
                text.startswith("_")
                or any(text in plugin.denied for plugin in plugins)
                or "pickle" in text.lower()
                or text.startswith("to_")
            ):
                raise refusal(
                    NOT_ALLOWED, "%s: the function %.80r cannot be asked for by its name" % (name, text), name=text[:80]
                )

    def _of_owner(self, owner):
        package = getattr(owner, "__name__", None) if type(owner) is type(sys) else None
        if package is None and (isinstance(owner, type) or hasattr(owner, "__name__")):
            package = getattr(owner, "__module__", None)
        if package is not None:
            plugin = self.of_package(str(package).split(".")[0])
            return [] if plugin is None else [plugin]
        return self.of_value(owner)


def without_special(kind):
    """Let a class whose `__getattr__` hands out data no longer do so for names that Python and numpy look up by themselves.

    Else who names a column `__array_interface__` tells numpy which memory to read.
    """
    plain = kind.__dict__.get("__getattr__")
    if plain is None or hasattr(plain, "__wrapped__"):
        return

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return plain(self, name)

    __getattr__.__wrapped__ = plain
    kind.__getattr__ = __getattr__


def _texts(value):
    """All strings within arguments but keys, which name columns."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from _texts(item)
