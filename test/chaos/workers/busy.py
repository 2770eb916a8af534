"""Commands that keep a worker from noticing anything; each says on stderr that it has begun."""

import ctypes
import os
import subprocess
import sys
import time


def _begin():
    os.write(2, b"busy\n")


def loop():
    _begin()
    while True:
        pass


def hold_gil(seconds: int = 600):
    """Sleeps in C without letting go of the interpreter: no other thread of this process runs Python meanwhile."""
    _begin()
    ctypes.PyDLL(None).sleep(seconds)


def with_family():
    """Starts a child in the worker's group, one in a session of its own, and a daemon that nobody waits for, and sleeps."""
    child = subprocess.Popen(["sleep", "600"])
    stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
    daemon = int(subprocess.check_output(["setsid", "sh", "-c", "sleep 600 >/dev/null 2>&1 & echo $!"]))
    print("family %d %d %d" % (child.pid, stranger.pid, daemon), file=sys.stderr, flush=True)
    _begin()
    time.sleep(600)


def forked_family():
    """Forks, without another program, a process that leaves for a session of its own."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.closerange(0, 3)
        time.sleep(600)
        os._exit(0)
    print("family %d" % pid, file=sys.stderr, flush=True)
    _begin()
    while True:
        pass
