"""Sees to it that no worker outlives the tests, however these end."""

import atexit
import subprocess
import sys

# Its input ends when the process of the tests does, by whatever signal.
_SCRIPT = """
import os, signal, sys

groups = set()
for line in sys.stdin:
    (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
"""


class Guard:
    """A process that kills the process groups it was told of when the tests are gone.

    A worker ends by itself when its host goes, and takes its group along; yet a child that was forked from a process with threads may wait
    for ever for a lock that nobody holds any more, and a worker that was killed cannot take it along.
    """

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-c", _SCRIPT], stdin=subprocess.PIPE, start_new_session=True, text=True
        )
        atexit.register(self._end)

    def watch(self, group):
        """Kill this group when the tests end."""
        self._tell("+", group)

    def forget(self, group):
        """The group has ended; its number may soon be another's."""
        self._tell("-", group)

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
