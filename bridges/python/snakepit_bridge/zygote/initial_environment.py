"""What /proc shows of a process's environment, which is what it was given when its program started."""

import os

_NAME = "SNAKEPIT_WORKER_MARK"
# Field 50 of proc(5) of /proc/PID/stat, counted from the third: the name before it may hold spaces.
_ENV_START = 47


class InitialMark:
    """Where the mark of a worker lies in the memory of this process, and of those that it will fork.

    Whoever looks for what a worker has started finds it by its mark: programs have it from `os.environ`, and children that were only
    forked show the initial environment of their zygote. So a forked worker writes its own mark there, of the same length.
    """

    def __init__(self):
        self._text = os.environ.get(_NAME, "").encode("ascii")
        self._address = _address_of(_NAME.encode("ascii") + b"=" + self._text) if self._text else None

    def overwrite(self, mark):
        """In a forked child: put `mark` in the place of the zygote's; without effect where the system does not allow it."""
        new = mark.encode("ascii")
        if self._address is None or len(new) != len(self._text):
            return
        address = self._address + len(_NAME) + 1
        try:
            with open("/proc/self/mem", "r+b", buffering=0) as memory:
                memory.seek(address)
                if memory.read(len(new)) == self._text:  # else a library has put something else there, such as a title
                    memory.seek(address)
                    memory.write(new)
        except (OSError, ValueError):
            pass


def _address_of(entry):
    """The address of an entry of the initial environment; None where there is no such thing."""
    try:
        with open("/proc/self/stat", "rb") as file:
            start = int(file.read().rpartition(b") ")[2].split()[_ENV_START])
        with open("/proc/self/environ", "rb") as file:
            environment = b"\0" + file.read()
    except (OSError, IndexError, ValueError):
        return None
    offset = environment.find(b"\0" + entry + b"\0")
    return None if offset < 0 or start == 0 else start + offset
