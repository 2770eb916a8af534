"""Descriptions of what may be called, and of the worker."""

import os
import platform
import sys

from .forbidden import is_forbidden_name
from .to_wire import short_repr

_MAX_MEMBERS = 500
_MAX_DOC = 8000


def describe_target(caller, target):
    """The kind, signature, documentation and members of what a path names."""
    import inspect

    path = target.get("@ref") if isinstance(target, dict) else target
    found = caller.resolve(path)
    described = {
        "target": path,
        "kind": _kind(found),
        "type": "%s.%s" % (type(found).__module__, type(found).__qualname__),
        "doc": (inspect.getdoc(found) or "")[:_MAX_DOC],
    }
    if callable(found):
        described.update(_signature(inspect, found))
    names = [name for name in dir(found) if not name.startswith("_") and not is_forbidden_name(name)]
    described["members"] = [{"name": name, "kind": _kind(_look(inspect, found, name))} for name in names[:_MAX_MEMBERS]]
    return described


def _signature(inspect, function):
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return {}
    parameters = [
        {
            "name": each.name,
            "kind": each.kind.name.lower(),
            **({} if each.default is each.empty else {"default": short_repr(each.default)}),
            **({} if each.annotation is each.empty else {"annotation": _annotation(each.annotation)}),
        }
        for each in signature.parameters.values()
    ]
    return {"signature": str(signature), "parameters": parameters}


def _annotation(annotation):
    return annotation if isinstance(annotation, str) else getattr(annotation, "__qualname__", short_repr(annotation))


def _look(inspect, owner, name):
    """A member without running what computes it."""
    try:
        return inspect.getattr_static(owner, name)
    except AttributeError:
        return None


def _kind(found):
    if isinstance(found, type(sys)):
        return "module"
    if isinstance(found, type):
        return "class"
    if callable(found) or isinstance(found, (classmethod, staticmethod)):
        return "function"
    return "property" if isinstance(found, property) else "value"


def describe_worker(service, caller):
    """Versions, the allow-list, limits, and what the session holds."""
    settings = service.settings
    return {
        "python": platform.python_version(),
        "platform": sys.platform,
        "pid": os.getpid(),
        "allow": list(service.allow.entries),
        "permit": list(settings.permit),
        "packages": {
            name: version for name, version in ((name, _version(name)) for name in sorted(service.allow.roots)) if version
        },
        "limits": {"maxObjects": settings.max_objects, "maxBytes": settings.max_bytes, "maxValues": settings.max_values},
        "objects": 0 if caller.objects is None else len(caller.objects),
        "bytes": 0 if caller.objects is None else caller.objects.bytes,
    }


def _version(package):
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version({"sklearn": "scikit-learn"}.get(package, package))
    except PackageNotFoundError:
        return None
