"""What an environment is to hold, and the key that stands for it."""

import hashlib
import os
import re
import sys
import sysconfig

from ..errors import StartupError

# Raised when environments are made in another way.
_FORMAT = "2"
_INCLUDED = re.compile(r"^\s*(?:-r|--requirement|-c|--constraint)[\s=]*(\S+)")
_EDITABLE = re.compile(r"^\s*(?:-e|--editable)\b")
_FILE_URL = re.compile(r"@\s*file://([^#\s]+)")


class Content:
    """Lines as of a requirements file, and the key of an environment that holds them."""

    def __init__(self, lines, key):
        self.lines = lines
        self.key = key


def read_content(requirements=None, requirements_file=None, pyproject=None, extras=()):
    """The Content of all that is asked for; `extras` are those of this SDK. Raises StartupError where it cannot be read."""
    digest = hashlib.sha256()
    _add(digest, _FORMAT, *_interpreter())
    lines = list(requirements or [])
    if pyproject is not None:
        lines += _dependencies(pyproject)
    own = _own_extras(extras)
    for line in lines + own:
        _add_line(digest, line)
    if requirements_file is not None:
        _add_file(digest, requirements_file, set())
        lines.append("-r %s" % requirements_file)
    return Content(lines + own, digest.hexdigest()[:32])


def _interpreter():
    """What packages are built for; machines of several kinds may share a folder."""
    return os.path.realpath(sys.executable), sys.version, sysconfig.get_platform(), sysconfig.get_config_var("SOABI") or ""


def _add(digest, *texts):
    for text in texts:
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
        digest.update(b"%d:" % len(data))
        digest.update(data)


def _add_file(digest, path, seen):
    path = os.path.abspath(path)
    if path in seen:
        return
    seen.add(path)
    for line in _read(path).decode("utf-8").splitlines():
        _add_line(digest, line)
        included = _INCLUDED.match(line)
        if included and "://" not in included.group(1):
            _add_file(digest, os.path.join(os.path.dirname(path), included.group(1)), seen)


def _add_line(digest, line):
    """A local archive counts by its content; what may change without notice is refused."""
    _add(digest, line)
    text = line.split(" #")[0].strip()
    url = _FILE_URL.search(text)
    path = url.group(1) if url else text.split(";")[0].strip()
    if _EDITABLE.match(text) or (os.sep in path and os.path.isdir(path)):
        raise StartupError(
            "'%s' is a folder whose content may change, which an environment that is kept cannot follow; "
            "name it in the option 'path', or build a wheel of it" % text
        )
    if os.path.isfile(path):
        _add(digest, _read(path))


def _dependencies(path):
    project = _read_toml(path).get("project", {})
    if "dependencies" in project.get("dynamic", ()):
        raise StartupError("%s leaves its dependencies to the build ('dynamic'); list them, or use 'requirements'" % path)
    return project.get("dependencies", [])


def _own_extras(names):
    if not names:
        return []
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "pyproject.toml")
    table = _read_toml(os.path.normpath(path))["project"]["optional-dependencies"]
    return sorted({line for name in names for line in table[name]})


def _read_toml(path):
    try:
        import tomllib
    except ImportError:
        # Python before 3.11; pip brings a reader along.
        try:
            from pip._vendor import tomli as tomllib
        except ImportError:
            raise StartupError("%s cannot be read: Python before 3.11 needs pip for that" % path) from None
    try:
        return tomllib.loads(_read(path).decode("utf-8"))
    except ValueError as error:
        raise StartupError("%s is no TOML: %s" % (path, error)) from None


def _read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise StartupError("%s cannot be read: %s" % (path, error.strerror)) from None
