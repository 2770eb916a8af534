"""Finds what a target names: by way of modules of the allow-list, or beginning at a stored object."""

import difflib
import sys
from importlib import import_module
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

from .failures import BAD_ARGUMENT, NOT_ALLOWED, UNKNOWN_ATTRIBUTE, refusal
from .forbidden import CHANGING_METHODS, SPECIAL_METHODS, is_forbidden_name

_MAX_PATH = 500
_MAX_UNWRAPPED = 20
# Types of Python's own whose methods do nothing but compute.
_PLAIN_TYPES = frozenset((bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range, type(None)))
_PLAIN_MODULES = frozenset(("datetime", "decimal", "fractions", "uuid"))
# Modules whose wrappers stand for the function that they wrap.
_WRAPPER_MODULES = frozenset(("contextlib", "functools"))
_FUNCTION_LIKE = (type(len), type("".join), type(str.join), type(list.__len__), type([].__len__), type(dict.__dict__["fromkeys"]))


class Resolver:
    """Resolves paths by an allow-list and the plugins' refusals; `objects` is the store that paths may begin in, or None."""

    def __init__(self, allow, plugins):
        self._allow = allow
        self._plugins = plugins

    def resolve(self, path, objects):
        """What the path names. Raises Refusal where it names nothing, or nothing that is allowed."""
        parts = _split(path)
        if objects is not None and parts[0] in objects:
            found, rest = objects[parts[0]], parts[1:]
            for at, name in enumerate(rest):
                is_own = at == 0 and name in CHANGING_METHODS and len(rest) == 1
                found = self._member(found, name, path, is_last=at == len(rest) - 1, may_change=is_own)
            return found
        return self._from_module(path, parts, objects)

    def check_callable(self, function, path):
        """Raise Refusal unless it can be called, and may be."""
        if not callable(function):
            raise refusal(
                BAD_ARGUMENT,
                "'%s' is %s, which cannot be called; leave out the arguments to read it" % (path, _kind(function)),
                target=path,
            )
        self._check(function, path)

    def _from_module(self, path, parts, objects):
        for count in range(1, len(parts) + 1):
            name = ".".join(parts[:count])
            if self._allow.permits_module(name):
                found = self._import(name, path)
                break
        else:
            raise self._unknown_root(path, parts, objects)
        for at, name in enumerate(parts[count:]):
            found = self._member(found, name, path, is_last=count + at == len(parts) - 1)
        return found

    def _unknown_root(self, path, parts, objects):
        if objects is not None:
            objects.check_deleted(parts[0])
        known = ", which stores %s" % (", ".join(sorted(objects)[:20]) or "none") if objects is not None else ""
        return refusal(
            NOT_ALLOWED,
            "'%s' is neither of a module on the allow-list (%s) nor of an object that the session stores%s; "
            "add the module to the option `enhanced.allow` if callers may use it" % (path, self._allow, known),
            target=path,
            name=parts[0],
        )

    def _import(self, name, path):
        """The module of that name, or the object of a module that an entry of the allow-list names."""
        try:
            module = import_module(name)
        except ModuleNotFoundError as error:
            missing = error.name or ""
            parent, _, member = name.rpartition(".")
            if parent and (missing == name or "is not a package" in str(error)):
                return self._member(import_module(parent), member, path, is_last=True, is_listed=True)
            if name == missing or name.startswith(missing + "."):
                raise refusal(
                    UNKNOWN_ATTRIBUTE,
                    "'%s': the module %s is not installed for this worker's Python" % (path, missing),
                    target=path,
                ) from None
            raise
        self._check(module, path)
        return module

    def _member(self, owner, name, path, *, is_last, may_change=False, is_listed=False):
        """One step of a path. What the step leads to is checked as well as where it begins."""
        is_special = is_last and (name in SPECIAL_METHODS or (may_change and name in CHANGING_METHODS))
        if name.startswith("_") and not is_special:
            raise refusal(
                NOT_ALLOWED,
                "'%s': members that begin with an underscore, as %s does, are not for callers" % (path, name),
                target=path,
            )
        if is_forbidden_name(name) or self._plugins.denies(owner, name):
            raise refusal(
                NOT_ALLOWED,
                "'%s': %s is never called for others, since it runs or unpickles what it is given, or leads out of its object"
                % (path, name),
                target=path,
            )
        if not is_listed:
            self._check(owner, path)
        found = self._get(owner, name, path)
        self._check(found, path)
        return found

    def _get(self, owner, name, path):
        try:
            return getattr(owner, name)
        except AttributeError:
            pass
        if isinstance(owner, ModuleType):
            submodule = "%s.%s" % (owner.__name__, name)
            if self._allow.permits_module(submodule):
                try:
                    return import_module(submodule)
                except ModuleNotFoundError as error:
                    if error.name != submodule:
                        raise
        raise refusal(
            UNKNOWN_ATTRIBUTE,
            "'%s': %s has no member %s%s" % (path, _kind(owner), name, _similar(owner, name)),
            target=path,
            name=name,
        )

    def _check(self, found, path):
        """Raise Refusal for what belongs to a module that is not allowed, or is never for callers."""
        if self._plugins.denies_object(found):
            raise refusal(NOT_ALLOWED, "'%s' leads to %s, which is never called for others" % (path, _kind(found)), target=path)
        outsider = self._outsider(found)
        if outsider is not None:
            raise refusal(
                NOT_ALLOWED,
                "'%s' leads to %s, which is not on the allow-list (%s)" % (path, _whereabouts(found, outsider), self._allow),
                target=path,
                module=outsider,
            )

    def _outsider(self, found):
        """The module that keeps this from being used, or None."""
        if isinstance(found, ModuleType):
            name = str(getattr(found, "__name__", "?"))
            return None if self._allow.permits_module(name) and sys.modules.get(name) is found else name
        if isinstance(found, type):
            return None if found in _PLAIN_TYPES or _is_plain_module(found.__module__) else self._owner_outside(found.__module__)
        if isinstance(found, MethodType):
            return self._outsider(found.__self__) or self._outsider(found.__func__)
        if isinstance(found, FunctionType):
            return self._function_outside(found)
        if isinstance(found, BuiltinFunctionType) or type(found) in _FUNCTION_LIKE:
            return self._builtin_outside(found)
        kind = type(found)
        if kind in _PLAIN_TYPES or _is_plain_module(kind.__module__):
            return None
        if kind.__module__ == "functools":
            return self._wrapper_outside(found)
        # Functions that Cython has compiled are of a type of its own.
        is_compiled = kind.__module__.startswith("_cython_") and kind.__name__ == "cython_function_or_method"
        return self._owner_outside(found.__module__ if is_compiled else kind.__module__)

    def _owner_outside(self, module):
        return None if self._allow.owns(module) else str(module)

    def _function_outside(self, function):
        """A function belongs to the module that it says, and to that whose names its code sees."""
        outside = self._owner_outside(function.__module__)
        seen = str(function.__globals__.get("__name__"))
        if outside is not None or self._allow.owns(seen):
            return outside
        if seen in _WRAPPER_MODULES and hasattr(function, "__wrapped__"):
            return self._wrapper_outside(function)
        return seen

    def _wrapper_outside(self, wrapper):
        """What wraps a function is as good as that one."""
        inner = wrapper
        for _ in range(_MAX_UNWRAPPED):
            if not hasattr(inner, "__wrapped__"):
                break
            inner = inner.__wrapped__
        if inner is wrapper:
            return self._owner_outside(type(wrapper).__module__)
        return self._outsider(inner)

    def _builtin_outside(self, function):
        owner = getattr(function, "__self__", None)
        if owner is not None and not isinstance(owner, ModuleType):
            return self._outsider(owner)
        module = getattr(function, "__module__", None)
        if module is None:
            of_class = getattr(function, "__objclass__", None)
            return self._outsider(of_class) if of_class is not None else "builtins"
        return self._owner_outside(module)


def _split(path):
    if not isinstance(path, str) or not path or len(path) > _MAX_PATH:
        raise refusal(BAD_ARGUMENT, "a target is a dotted name such as 'math.sqrt' or 'model.fit', not %.80r" % (path,))
    parts = path.split(".")
    if not all(part.isidentifier() and part.isascii() for part in parts):
        raise refusal(BAD_ARGUMENT, "%.80r is no target; it has to be a dotted name such as 'math.sqrt' or 'model.fit'" % path)
    return parts


def _is_plain_module(module):
    return module in _PLAIN_MODULES


def _whereabouts(found, module):
    return _kind(found) if isinstance(found, ModuleType) else "%s of the module %s" % (_kind(found), module)


def _kind(found):
    if isinstance(found, ModuleType):
        return "the module %s" % getattr(found, "__name__", "?")
    if isinstance(found, type):
        return "the class %s" % found.__qualname__
    kind = type(found)
    name = getattr(found, "__name__", None)
    return (
        "the %s %s" % ("function", name)
        if isinstance(name, str) and callable(found)
        else "an object of type %s" % kind.__qualname__
    )


def _similar(owner, name):
    try:
        names = [each for each in dir(owner) if not each.startswith("_") and not is_forbidden_name(each)]
    except Exception:
        return ""
    close = difflib.get_close_matches(name, names, 3)
    return "; did you mean %s?" % " or ".join(close) if close else ""
