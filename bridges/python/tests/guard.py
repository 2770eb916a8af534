"""Sees to it that no worker outlives the tests, however these end."""

import atexit
import os
import signal
import subprocess
import sys
import uuid

# Its input ends when the process of the tests does, by whatever signal. What has left its group is found by its environment, where there is a /proc.
_SCRIPT = """
import os, signal, sys, time

groups, mark = set(), os.environb[b"SNAKEPIT_TEST_RUN"]

def environment(pid):
    try:
        with open("/proc/%s/environ" % pid, "rb") as file:
            return file.read().split(b"\\0")
    except OSError:
        return ()

def end(kill, number):
    try:
        kill(number, signal.SIGKILL)
    except OSError:
        pass

def strays():
    numbers = [name for name in os.listdir("/proc") if name.isdigit()] if sys.platform == "linux" else ()
    return [int(pid) for pid in numbers if int(pid) != os.getpid() and b"SNAKEPIT_TEST_RUN=" + mark in environment(pid)]

for line in sys.stdin:
    (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
for group in groups:
    end(os.killpg, group)
for _ in range(500):
    left = strays()
    if not left:
        break
    for pid in left:
        end(os.kill, pid)
    time.sleep(0.01)
"""


class Guard:
    """A process that kills, when the tests are gone, the process groups it was told of and whatever else the workers have started.

    A worker ends by itself when its host goes, and takes its group along; yet a child that was forked from a process with threads may wait
    for ever for a lock that nobody holds any more, and a worker that was killed cannot take it along.
    """

    def __init__(self):
        self.mark = {"SNAKEPIT_TEST_RUN": uuid.uuid4().hex}
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-c", _SCRIPT],
            stdin=subprocess.PIPE,
            start_new_session=True,
            text=True,
            env={**os.environ, **self.mark},
        )
        atexit.register(self._end)

    def spawn(self, command_line, **how):
        """Start a worker in a group of its own, which is killed when the tests end."""
        process = subprocess.Popen(command_line, start_new_session=True, **how)
        self._tell("+", process.pid)
        return process

    def end(self, process):
        """Kill a worker, and what it has forked into its group; wait for it."""
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # all of it has ended
        process.wait()
        self._tell("-", process.pid)

    def _end(self):
        self._process.stdin.close()
        self._process.wait()

    def _tell(self, sign, group):
        self._process.stdin.write("%s%d\n" % (sign, group))
        self._process.stdin.flush()


_guard = None


def guard():
    """The guard of this run."""
    global _guard
    if _guard is None:
        _guard = Guard()
    return _guard
