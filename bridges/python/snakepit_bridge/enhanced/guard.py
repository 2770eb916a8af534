"""Keeps what callers have called from files, processes, the network and pickles, by Python's own audit events.

It is a second line: the first is which functions can be named at all. It sees what Python code does through Python; native code that
opens a file by itself tells nobody.
"""

import os
import sys
import sysconfig
import threading

from .failures import Forbidden

_PROCESS_EVENTS = frozenset(
    "os.system os.exec os.posix_spawn os.spawn os.fork os.forkpty os.kill os.killpg os.startfile subprocess.Popen pty.spawn".split()
)
_NETWORK_EVENTS = frozenset(
    "socket.connect socket.bind socket.sendto socket.sendmsg socket.getaddrinfo socket.gethostbyname urllib.Request".split()
)
_PICKLE_EVENTS = frozenset(("pickle.find_class", "marshal.loads", "marshal.load"))
_CODE_EVENTS = frozenset(("exec", "compile", "code.__new__"))
_NATIVE_EVENTS = frozenset(("ctypes.dlopen", "ctypes.dlsym", "ctypes.string_at", "ctypes.cdata", "ctypes.call_function"))
_WRITE_EVENTS = frozenset(
    "os.remove os.rename os.rmdir os.mkdir os.chmod os.chown os.link os.symlink os.truncate os.utime os.setxattr shutil.copyfile"
    " shutil.move shutil.rmtree shutil.unpack_archive sqlite3.connect tempfile.mkstemp tempfile.mkdtemp".split()
)
_LIST_EVENTS = frozenset(("os.listdir", "os.scandir", "glob.glob"))
_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

# Modules that run text which they made themselves, and such that look at text without running it; `ast` stands for whoever calls it.
_RUNNERS = frozenset(("collections", "dataclasses"))
_PARSERS = _RUNNERS | frozenset("inspect joblib._utils linecache traceback warnings".split())
_NATIVE_CALLERS = frozenset(("threadpoolctl", "numpy._core._internal", "numpy.core._internal"))
_READERS = frozenset(("linecache", "tokenize", "traceback", "inspect"))
# What libraries look at to learn how many processors and how much memory there are.
_SYSTEM_FILES = (
    "/usr/share/zoneinfo/",
    "/sys/devices/system/",
    "/sys/fs/cgroup/",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/dev/null",
    "/dev/urandom",
)
_OWN_FILES = ("cgroup", "mountinfo", "maps")

# Who stands between a function and what it did.
_BETWEEN = frozenset((__name__, "ast", "ctypes", "ctypes.util", "genericpath", "os", "posixpath", "tokenize"))

PERMISSIONS = ("network", "processes", "pickle")


class Guard:
    """A context manager for a caller's call: within it, the worker does only what `permit` and the folders allow."""

    def __init__(self, permit=(), read=(), write=(), packages=()):
        self._permit = frozenset(permit)
        self._write = tuple(os.path.join(os.path.realpath(folder), "") for folder in write)
        self._read = self._write + tuple(os.path.join(os.path.realpath(folder), "") for folder in read)
        self._libraries = tuple(
            os.path.join(os.path.realpath(path), "")
            for path in {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
            if path
        )
        self._packages = tuple(packages)
        self._package_folders = {}
        self._inside = []
        self._others = frozenset()
        self._is_installed = False

    def _package_folder(self, name):
        """Where a package that has been imported lies: it may read what is beside its modules."""
        if name not in self._package_folders:
            file = getattr(sys.modules.get(name), "__file__", None)
            if file is None:
                return None
            self._package_folders[name] = os.path.join(os.path.realpath(os.path.dirname(file)), "") if _is_package(name) else file
        return self._package_folders[name]

    def __enter__(self):
        if not self._is_installed:
            self._is_installed = True
            sys.addaudithook(self._hear)
        thread = threading.get_ident()
        if not self._inside:
            self._others = frozenset(threading._active)
        # A list, since calls may run side by side in threads, and one thread may enter twice.
        self._inside.append(thread)
        return self

    def __exit__(self, *_):
        self._inside.remove(threading.get_ident())

    def _hear(self, event, args):
        if not self._inside:
            return
        # Threads that a call has started are guarded while it lasts; those that were there before serve others.
        thread = threading.get_ident()
        if thread not in self._inside and thread in self._others:
            return
        if event == "open":
            self._check_open(args)
        elif event in _PROCESS_EVENTS:
            self._need("processes", event, "start or signal processes")
        elif event in _NETWORK_EVENTS:
            self._need("network", event, "use the network")
        elif event in _PICKLE_EVENTS:
            if not _is_importing():
                self._need("pickle", event, "unpickle anything")
        elif event in _CODE_EVENTS:
            if not _is_called_by(_PARSERS if event == "compile" else _RUNNERS) and not _is_importing():
                raise Forbidden("a called function tried to compile or run code, which is never permitted", event=event)
        elif event in _NATIVE_EVENTS:
            if not _is_called_by(_NATIVE_CALLERS) and not _is_importing():
                raise Forbidden("a called function tried to use ctypes, which is never permitted", event=event)
        elif event in _WRITE_EVENTS:
            self._check_write(event, args)
        elif event in _LIST_EVENTS:
            self._check_read(args[0] if args else ".")

    def _need(self, permission, event, what):
        if permission not in self._permit:
            raise Forbidden(
                "a called function tried to %s (%s); add '%s' to the option `enhanced.permit` if callers may"
                % (what, event, permission),
                event=event,
            )

    def _check_open(self, args):
        path, mode, flags = (*args, None, None, None)[:3]
        is_write = bool(set(mode) & set("wax+")) if isinstance(mode, str) else bool((flags or 0) & _WRITE_FLAGS)
        if is_write:
            self._check_write("open", (path,))
        else:
            self._check_read(path)

    def _check_write(self, event, args):
        paths = [arg for arg in args if isinstance(arg, (str, bytes, os.PathLike))]
        if _is_importing() or (
            paths and all(_real(path) == "/dev/null" or _real(path).startswith(self._write or ("\0",)) for path in paths)
        ):
            return
        raise Forbidden(
            "a called function tried to change files (%s %s); name the folder in the option `enhanced.write` if callers may"
            % (event, ", ".join("%.200r" % (path,) for path in paths)),
            event=event,
        )

    def _check_read(self, path):
        if isinstance(path, int):
            return  # opened before
        real = _real(path)
        if (
            real.startswith(self._read + self._libraries + _SYSTEM_FILES + tuple(filter(None, map(self._package_folder, self._packages))))
            or real + os.sep in self._read
        ):
            return
        if real in ["/proc/%d/%s" % (os.getpid(), name) for name in _OWN_FILES] or _is_metadata(real):
            return
        if _is_called_by(_READERS) or _is_importing():
            return
        raise Forbidden(
            "a called function tried to read %.200r; name its folder in the option `enhanced.read` if callers may" % (path,),
            event="open",
        )


def _real(path):
    try:
        return os.path.realpath(os.fsdecode(path))
    except (TypeError, ValueError):
        return ""


def _is_package(name):
    return hasattr(sys.modules[name], "__path__")


def _is_metadata(real):
    """Tell whether a file describes an installed package, or the list of these is asked for."""
    for folder in map(os.path.realpath, sys.path):
        if real == folder:
            return True
        if real.startswith(os.path.join(folder, "")):
            first = os.path.relpath(real, folder).split(os.sep)[0]
            if first.endswith((".dist-info", ".egg-info")):
                return True
    return False


def _is_importing():
    """Tell whether a module is being imported further up: that is code of a package, chosen by the allow-list."""
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def _is_called_by(modules):
    """Tell whether the function that did it is of one of the modules."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_globals.get("__name__")
        if name not in _BETWEEN or name in modules:
            return name in modules
        frame = frame.f_back
    return False
