"""The zygote's connection to the host: frames as in protocol v2, all with bodies of JSON text."""

import json
import os
import socket
from time import monotonic

from ..errors import HostGone, ProtocolError
from ..v2.frame import ERROR, HELLO, pack_frame
from ..v2.reader import FrameReader

FORK = 0x50
FORKED = 0x51
EXITED = 0x52

_MAX_FRAME_BYTES = 16 * 1024 * 1024


class ForkOrder:
    """A worker that the host wants: the number it goes by, its one-time token, its environment and its descriptors.

    The environment is kept as what differs from the zygote's own, without what a worker takes out of it when it starts: a child
    that changes little shares many pages.
    """

    def __init__(self, number, members):
        self.number = number
        self.token = members["token"]
        self.arena = members.get("arena")
        wanted, present = members["env"], dict(os.environ)
        wanted.pop("SNAKEPIT_PROTOCOL", None)
        self.descriptor = int(wanted.pop("SNAKEPIT_FD"))
        self.foreign_variables = [name for name in present if name not in wanted]
        self.own_variables = {name: value for name, value in wanted.items() if present.get(name) != value}


class Control:
    """Takes orders from the host and tells it what became of them."""

    def __init__(self, descriptor):
        os.set_inheritable(descriptor, False)
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(True)
        self._reader = FrameReader(self._socket, _MAX_FRAME_BYTES)

    def fileno(self):
        """The connection's descriptor."""
        return self._socket.fileno()

    def receive(self):
        """Return all orders that have come, as a list. Raises HostGone and ProtocolError."""
        orders = []
        while self._reader.receive(is_blocking=False):
            self._reader.parse(_refuse_call, lambda *frame: orders.append(read_order(*frame)), monotonic())
        return orders

    def tell_ready(self):
        """Say that workers can be forked."""
        self._send(HELLO, 0, {"protocol": 2, "pid": os.getpid()})

    def tell_failed(self, error):
        """Say why no worker can be forked; `error` is an error map."""
        self._send(HELLO, 0, {"error": error})

    def tell_forked(self, number, pid):
        """Say that a worker's process exists."""
        self._send(FORKED, number, {"pid": pid})

    def tell_refused(self, number, error):
        """Say why a worker could not be forked; `error` is an error map."""
        self._send(ERROR, number, error)

    def tell_exited(self, number, outcome):
        """Say how a worker ended: `{"status": 1}` or `{"signal": "SIGKILL"}`."""
        self._send(EXITED, number, outcome)

    def leave_to_parent(self):
        """In a forked child: the connection is the parent's alone."""
        self._socket.close()

    def _send(self, kind, number, members):
        body = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        try:
            self._socket.sendall(pack_frame(kind, number, body=body))
        except ConnectionError:
            raise HostGone from None


def read_order(kind, flags, aux, number, body, received):
    if kind != FORK:
        raise ProtocolError("a zygote takes no frame of kind 0x%02x" % kind)
    try:
        return ForkOrder(number, json.loads(bytes(body)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ProtocolError("malformed FORK: %r" % (error,)) from None


def _refuse_call(call):
    raise ProtocolError("a zygote takes no calls")
