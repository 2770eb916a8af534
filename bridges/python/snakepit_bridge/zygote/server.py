"""The zygote's life: import, say hello, fork and bury until the host is gone."""

import gc
import os
import select
import sys
from time import monotonic

from ..errors import HostGone, ProtocolError, error_map
from ..process import complain, end_by_protocol_error, end_with_host, exit_status
from ..v2.startup_guard import StartupGuard
from .children import Children
from .dispositions import Dispositions

_SILENCE_SECONDS = 0.1


class Zygote:
    """Owns the connection to the host and the children; `door` is the path of the socket they will come to."""

    def __init__(self, control, door, preload):
        self._control = control
        self._door = door
        self._preload = preload
        self._children = Children()

    def serve(self):
        """Serve until the host is gone, which ends the process; returns in each forked child, with its order."""
        try:
            self._import()
            dispositions = Dispositions()
            # Whatever is alive now lives on in all workers: the collector must not write to its pages.
            gc.freeze()
            self._control.tell_ready()
            return self._fork_and_bury(dispositions)
        except HostGone:
            self._end_with_host()
        except ProtocolError as error:
            self._children.kill()
            end_by_protocol_error(error)

    def _import(self):
        try:
            with StartupGuard(self._control.fileno(), self._end_with_host):
                self._preload.run()
        except BaseException as error:
            self._control.tell_failed(error_map(error))
            complain("the zygote cannot start: %s: %s" % (type(error).__name__, error))
            os._exit(exit_status(error))

    def _fork_and_bury(self, dispositions):
        poll = select.poll()
        poll.register(self._control.fileno(), select.POLLIN)
        poll.register(dispositions.fileno(), select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if dispositions.fileno() in ready:
                dispositions.clear()
                self._bury()
            if self._control.fileno() in ready:
                order = self._fork_all(self._control.receive())
                if order is not None:
                    dispositions.restore()
                    self._control.leave_to_parent()
                    return order

    def _fork_all(self, orders):
        """Fork a child for each order; returns its order in a child, None in the zygote.

        As little as can be is done in between: each page that the zygote writes after a fork is one more that the child alone holds.
        """
        # Buffered text would be written once more by the child.
        sys.stdout.flush()
        sys.stderr.flush()
        forked, told = [], monotonic()
        for order in orders:
            try:
                pid = self._children.fork(order.number)
            except OSError as error:
                self._control.tell_refused(order.number, error_map(error))
                continue
            if pid == 0:
                return order
            forked.append((order.number, pid))
            if monotonic() - told > _SILENCE_SECONDS:
                self._tell_forked(forked)
                told = monotonic()
        self._tell_forked(forked)
        return None

    def _tell_forked(self, forked):
        for number, pid in forked:
            self._control.tell_forked(number, pid)
        forked.clear()

    def _bury(self):
        for number, outcome in self._children.bury():
            self._control.tell_exited(number, outcome)

    def _end_with_host(self):
        """The host is gone, and with it goes everything it had."""
        self._children.kill()
        for remove, path in ((os.unlink, self._door), (os.rmdir, os.path.dirname(self._door))):
            try:
                remove(path)
            except OSError:
                pass
        end_with_host()
