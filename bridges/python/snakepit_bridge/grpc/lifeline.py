"""The descriptor by which a host starts a worker, and whose end tells that the host is gone."""

import json
import os
import socket
import threading

from ..errors import ProtocolError
from ..process import end_with_host
from .settings import ServerSettings, Tls

_MAX_LINE_BYTES = 1024 * 1024


class Lifeline:
    """One end of a socket pair. Raises ProtocolError where the host's offer makes no sense."""

    def __init__(self, descriptor):
        os.set_inheritable(descriptor, False)
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(True)

    def read_offer(self):
        """Wait for the host's offer, as ServerSettings; from then on, the end of the host ends this process. Raises ProtocolError."""
        line = bytearray()
        while not line.endswith(b"\n"):
            data = self._socket.recv(65536)
            if not data:
                end_with_host()
            line += data
            if len(line) > _MAX_LINE_BYTES:
                raise ProtocolError("the host's offer has more than %d bytes" % _MAX_LINE_BYTES)
        threading.Thread(target=self._watch, name="snakepit-lifeline", daemon=True).start()
        try:
            return _read_settings(json.loads(line.decode("utf-8")))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ProtocolError("malformed offer from the host: %s: %s" % (type(error).__name__, error)) from None

    def answer(self, members):
        """Tell the host where this worker listens, or why it cannot start."""
        line = json.dumps(members, ensure_ascii=False, separators=(",", ":")) + "\n"
        try:
            self._socket.sendall(line.encode("utf-8"))
        except OSError:
            end_with_host()

    def _watch(self):
        """Wait for the end of the host. This is a thread of its own, because nothing else here must ever be late for it."""
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                data = b""
            if not data:
                end_with_host()


def _read_settings(offer):
    if offer.get("protocol", "grpc") != "grpc":
        raise ValueError("protocol %r" % (offer["protocol"],))
    addresses, token, max_frame_bytes = offer["listen"], offer["token"], offer["maxFrameBytes"]
    if not isinstance(addresses, list) or not isinstance(token, str) or not token or type(max_frame_bytes) is not int:
        raise ValueError("listen, token or maxFrameBytes")
    return ServerSettings(
        [str(address) for address in addresses],
        token=token,
        tls=_read_tls(offer.get("tls")),
        max_frame_bytes=max_frame_bytes,
        has_reflection=offer.get("reflection") is True,
        is_private=True,
    )


def _read_tls(texts):
    if texts is None:
        return None
    return Tls(*(texts[name].encode("ascii") for name in ("certificate", "key", "clientCa")))
