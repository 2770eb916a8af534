"""Makes an environment where there is none yet."""

import contextlib
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from importlib import metadata

from ..errors import StartupError

_MARKER = "snakepit-environment.json"
_TAIL_LINES = 20
_STILL_SECONDS = 10.0
# The user and password of an address.
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


def provide(root, content, manager, report):
    """The path of the Python of an environment with that content, made if need be.

    Of processes that ask at the same time one builds and the others wait; the lock is the kernel's, so that it ends with its owner.
    `report(level, text)` is told of the progress. Raises StartupError when a program fails, with its last lines, and where nothing
    can be written.
    """
    folder = os.path.join(root, content.key)
    if is_complete(folder):
        return _python_of(folder)
    try:
        os.makedirs(root, mode=0o700, exist_ok=True)
        with _locked(folder + ".lock", report) as lock:
            if not is_complete(folder):
                _build(folder, content, _manager(manager), Programs(report, lock))
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = "%s cannot be written: %s; name a folder that can be in the option 'environments'"
        raise StartupError(reason % (error.filename or root, error.strerror or error)) from None
    return _python_of(folder)


def _python_of(folder):
    return os.path.join(folder, "bin", "python")


def is_complete(folder):
    """Not so when the Python that it was made from has gone, or does not run any more."""
    return os.path.exists(os.path.join(folder, _MARKER)) and _runs(_python_of(folder))


def _runs(python):
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        return subprocess.call([python, "-I", "-S", "-c", ""], **pipes) == 0
    except OSError:
        return False


@contextlib.contextmanager
def _locked(path, report):
    with open(path, "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("info", "another process makes the same Python environment; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def _manager(wish):
    """The path of uv, or None for pip."""
    if wish == "pip":
        return None
    uv = shutil.which("uv")
    if uv is None and wish == "uv":
        raise StartupError("there is no uv on the PATH; install it, or use manager 'pip'")
    return uv


def _build(folder, content, uv, programs):
    report = programs.report
    name = "uv" if uv else "pip"
    report("info", "making a Python environment in %s with %s: %s" % (folder, name, _without_credentials(content.lines)))
    started = time.monotonic()
    # What an interrupted build has left.
    shutil.rmtree(folder, ignore_errors=True)
    try:
        commands = _uv_commands(uv, folder) if uv else _pip_commands(folder)
        programs.run(commands[0])
        with open(_requirements_of(folder), "w", encoding="utf-8") as file:
            file.write("".join("%s\n" % line for line in content.lines))
        if content.lines:
            programs.run(commands[1])
        # Written last: what lacks it is no environment.
        with open(os.path.join(folder, _MARKER), "w", encoding="utf-8") as file:
            json.dump({"manager": name, "python": sys.version, "requirements": content.lines}, file, indent=2)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    report("info", "made the Python environment in %.1f s" % (time.monotonic() - started))


def _without_credentials(lines):
    return _CREDENTIALS.sub("***@", ", ".join(lines)) or "no packages"


def _requirements_of(folder):
    return os.path.join(folder, "requirements.txt")


def _pip_commands(folder):
    options = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off", "-r", _requirements_of(folder)]
    if pip_serves_others():
        # An environment with a pip of its own takes seconds to make, and `ensurepip`, which not every Python has.
        pip = [sys.executable, "-m", "pip", "--python", _python_of(folder)]
        return [sys.executable, "-m", "venv", "--without-pip", folder], [*pip, "install", *options]
    return [sys.executable, "-m", "venv", folder], [_python_of(folder), "-m", "pip", "install", *options]


def pip_serves_others():
    """Whether the pip of this Python has the option `--python`, as pip has it since 22.3."""
    try:
        major, minor = metadata.version("pip").split(".")[:2]
        return (int(major), int(minor)) >= (22, 3)
    except (metadata.PackageNotFoundError, ValueError):
        return False


def _uv_commands(uv, folder):
    # Workers should not have to compile at their start.
    install = [uv, "pip", "install", "--python", _python_of(folder), "--compile-bytecode"]
    return [uv, "venv", "--python", sys.executable, folder], install + ["-r", _requirements_of(folder)]


class Programs:
    """Runs programs of a build, which hold its lock too: one that outlives this process must not be joined by another.

    Every `still_seconds` it is reported that one still runs, and what it has said last.
    """

    def __init__(self, report, lock, still_seconds=_STILL_SECONDS):
        self.report = report
        self._lock = lock
        self._still_seconds = still_seconds

    def run(self, command):
        """Run a program to its end. Raises StartupError where it fails."""
        # The way to this SDK is not for the programs it starts.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        tail = deque(maxlen=_TAIL_LINES)
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        with subprocess.Popen(command, env=environment, pass_fds=[self._lock], **pipes) as program:
            is_over = threading.Event()
            threading.Thread(target=self._watch, args=(program, tail, is_over), daemon=True).start()
            try:
                for line in program.stdout:
                    text = line.decode("utf-8", "replace").rstrip()
                    tail.append(text)
                    self.report("debug", text)
            except BaseException:
                # Nobody listens any more.
                program.kill()
                raise
            finally:
                is_over.set()
        if program.returncode != 0:
            output = "\n".join("  " + line for line in tail) or "  (nothing)"
            raise StartupError("%s ended with status %d and these last lines:\n%s" % (" ".join(command), program.returncode, output))

    def _watch(self, program, tail, is_over):
        """On a thread of its own: say now and then what is going on."""
        began = time.monotonic()
        while not is_over.wait(self._still_seconds):
            last = tail[-1].strip() if tail else "it has said nothing yet"
            try:
                self.report("info", "still making the Python environment, for %d s: %s" % (time.monotonic() - began, last))
            except OSError:
                program.kill()  # the host is gone
                return
