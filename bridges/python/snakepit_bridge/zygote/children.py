"""The workers that a zygote has forked and not yet buried."""

import os
import signal


class Children:
    """Forks workers and collects how they ended, by the numbers they go by."""

    def __init__(self):
        self._numbers = {}

    def fork(self, number):
        """Fork one; returns its pid, or 0 in the child. Raises OSError."""
        pid = os.fork()
        if pid:
            self._numbers[pid] = number
        return pid

    def bury(self):
        """Yield `(number, outcome)` of those that have ended; processes that others started are left alone."""
        for pid, number in list(self._numbers.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._numbers[pid]
                yield number, _outcome(status)

    def kill(self):
        """Kill all, and what they have started."""
        for pid in self._numbers:
            for kill in (os.killpg, os.kill):  # one that was just forked leads no group yet
                try:
                    kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass


def _outcome(status):
    if not os.WIFSIGNALED(status):
        return {"status": os.WEXITSTATUS(status)}
    number = os.WTERMSIG(status)
    try:
        return {"signal": signal.Signals(number).name}
    except ValueError:
        return {"signal": "SIG%d" % number}
