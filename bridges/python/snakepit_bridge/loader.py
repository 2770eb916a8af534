"""Imports the user's module, given as a file or as a dotted name."""

import os
import sys

from .errors import StartupError


def load_module(target):
    """Import `target`, a path of a file or a dotted name, and return the module. Raises StartupError."""
    if target.endswith(".py") or os.sep in target:
        return _load_file(os.path.abspath(target))
    import importlib

    return importlib.import_module(target)


def load_manifest(target, enhanced=None, has_threads=False):
    """The manifest of a module, together with the library commands that `enhanced` describes, settings as JSON. Raises StartupError."""
    from .manifest import read_manifest

    module = load_module(target)
    if enhanced is None:
        return read_manifest(module, has_threads=has_threads)
    from .enhanced.launch import create_library

    return read_manifest(module, [create_library(enhanced)], has_threads)


def _load_file(path):
    if os.path.isdir(path):
        path = os.path.join(path, "__init__.py")
    if not os.path.isfile(path):
        raise StartupError("the module %s does not exist; check the option `module`" % path)
    root, name = _place(path)
    folder = os.path.dirname(path)
    for entry in (root, folder):
        if entry in sys.path:
            sys.path.remove(entry)
        sys.path.insert(0, entry)
    return _import_as(name, path)


def _place(path):
    """Root folder and dotted name of a file: its stem, preceded by the packages that it lies in."""
    folder, stem = os.path.dirname(path), os.path.splitext(os.path.basename(path))[0]
    names = [] if stem == "__init__" else [stem]
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder, package = os.path.split(folder)
        names.insert(0, package)
    return folder, ".".join(names)


def _import_as(name, path):
    if name in sys.modules or name in sys.builtin_module_names:
        loaded = getattr(sys.modules.get(name), "__file__", None) or "a module of Python's own"
        if loaded == path:
            return sys.modules[name]
        raise StartupError("%s would be imported as %r, which is taken by %s; rename the file" % (path, name, loaded))
    import importlib

    if "." in name:
        return importlib.import_module(name)
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location(
        name, path, submodule_search_locations=[os.path.dirname(path)] if path.endswith("__init__.py") else None
    )
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module
