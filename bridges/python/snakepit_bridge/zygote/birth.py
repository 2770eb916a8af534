"""What makes a forked child the same as a worker that was spawned."""

import os
import socket
import sys

from ..process import complain

_STDOUT, _STDERR = 1, 2
_START_FAILURE = 1


def become_worker(order, door, arena, initial_mark):
    """In a forked child: take the environment, the streams and the channel of a worker of its own."""
    os.setsid()
    for name in order.foreign_variables:
        del os.environ[name]
    for name, value in order.own_variables.items():
        os.environ[name] = value
    initial_mark.overwrite(os.environ.get("SNAKEPIT_WORKER_MARK", ""))
    try:
        _connect(door, order.token, "stdout", _STDOUT, is_inheritable=True)
        _connect(door, order.token, "stderr", _STDERR, is_inheritable=True)
        _connect(door, order.token, "channel", order.descriptor, is_inheritable=False)
    except OSError as error:
        complain("cannot reach the host: %s" % error)
        os._exit(_START_FAILURE)
    if arena is not None:
        arena.open(order.arena)
    _diverge()


def _connect(door, token, role, descriptor, is_inheritable):
    """Put a connection to the host in the place of a descriptor."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(door)
    connection.sendall(("%s %s\n" % (token, role)).encode("ascii"))
    source = connection.detach()
    if source == descriptor:  # the number was free, and it came by it by itself
        os.set_inheritable(descriptor, is_inheritable)
        return
    os.dup2(source, descriptor, inheritable=is_inheritable)
    os.close(source)


def _diverge():
    """Seed what would otherwise be the same in all workers; `random` does so by itself."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
