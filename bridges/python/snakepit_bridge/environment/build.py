"""Makes an environment where there is none yet."""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections import deque

from ..errors import StartupError

_MARKER = "snakepit-environment.json"
_TAIL_LINES = 20


def provide(root, content, manager, report):
    """The path of the Python of an environment with that content, made if need be.

    Of processes that ask at the same time one builds and the others wait; the lock is the kernel's, so that it ends with its owner.
    `report(level, text)` is told of the progress. Raises StartupError when a program fails, with its last lines.
    """
    folder = os.path.join(root, content.key)
    if _is_complete(folder):
        return _python_of(folder)
    os.makedirs(root, mode=0o700, exist_ok=True)
    with _locked(folder + ".lock", report) as lock:
        if not _is_complete(folder):
            _build(folder, content, _manager(manager), _Programs(report, lock))
    return _python_of(folder)


def _python_of(folder):
    return os.path.join(folder, "bin", "python")


def _is_complete(folder):
    """Not so when the Python that it was made from has gone: its link then leads nowhere."""
    return os.path.exists(os.path.join(folder, _MARKER)) and os.path.exists(_python_of(folder))


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
    report("info", "making a Python environment in %s with %s: %s" % (folder, name, ", ".join(content.lines) or "no packages"))
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


def _requirements_of(folder):
    return os.path.join(folder, "requirements.txt")


def _pip_commands(folder):
    install = [_python_of(folder), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    return [sys.executable, "-m", "venv", folder], install + ["-r", _requirements_of(folder)]


def _uv_commands(uv, folder):
    # Workers should not have to compile at their start.
    install = [uv, "pip", "install", "--python", _python_of(folder), "--compile-bytecode"]
    return [uv, "venv", "--python", sys.executable, folder], install + ["-r", _requirements_of(folder)]


class _Programs:
    """Runs programs of a build, which hold its lock too: one that outlives this process must not be joined by another."""

    def __init__(self, report, lock):
        self.report = report
        self._lock = lock

    def run(self, command):
        # The way to this SDK is not for the programs it starts.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        tail = deque(maxlen=_TAIL_LINES)
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        with subprocess.Popen(command, env=environment, pass_fds=[self._lock], **pipes) as program:
            try:
                for line in program.stdout:
                    text = line.decode("utf-8", "replace").rstrip()
                    tail.append(text)
                    self.report("debug", text)
            except BaseException:
                # Nobody listens any more.
                program.kill()
                raise
        if program.returncode != 0:
            output = "\n".join("  " + line for line in tail) or "  (nothing)"
            raise StartupError("%s ended with status %d and these last lines:\n%s" % (" ".join(command), program.returncode, output))
