"""What signals do in the zygote, and in the workers it forks."""

import os
import signal


class Dispositions:
    """Wakes the zygote when a worker ends, and gives workers the dispositions that their modules chose."""

    def __init__(self):
        self._reading, self._writing = os.pipe()
        for descriptor in (self._reading, self._writing):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        # It lives as long as its host: SIGTERM for all of a service must not take away who tells how workers ended.
        self._theirs = {
            number: signal.signal(number, disposition)
            for number, disposition in ((signal.SIGCHLD, _wake), (signal.SIGTERM, signal.SIG_IGN))
        }

    def fileno(self):
        """A descriptor that can be read from once a worker has ended."""
        return self._reading

    def clear(self):
        """Forget the wakings so far."""
        try:
            while os.read(self._reading, 4096):
                pass
        except BlockingIOError:
            pass

    def restore(self):
        """In a forked child: undo everything."""
        signal.set_wakeup_fd(-1)
        for number, disposition in self._theirs.items():
            signal.signal(number, signal.SIG_DFL if disposition is None else disposition)
        os.close(self._reading)
        os.close(self._writing)


def _wake(number, frame):
    """Exists so that the signal is not ignored; the wakeup descriptor does the waking."""
