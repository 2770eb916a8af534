"""Where a worker listens: `unix:` and an absolute path, or `host:port`."""

import os
import socket

from ..errors import SnakepitError

_UNIX = "unix:"


class AddressUnavailable(SnakepitError):
    """None of the addresses can be bound; the message has a line for each."""

    code = "ADDRESS_UNAVAILABLE"


def bind_first(addresses, bind):
    """Bind the first address that is free, and say where that is. `bind(address)` returns a port, or raises RuntimeError.

    Raises AddressUnavailable. gRPC itself does not tell why an address cannot be bound, complains on stderr, takes over the socket of another
    process that is still alive, and is content with one of the two addresses of `localhost`; so each is tried first without it.
    """
    reasons = []
    for address in addresses:
        try:
            resolved = _try(address)
            port = bind(resolved)
        except (OSError, ValueError, RuntimeError) as error:
            reasons.append("%s: %s" % (address, getattr(error, "strerror", None) or error))
            continue
        return resolved if resolved.startswith(_UNIX) else "%s:%d" % (resolved.rpartition(":")[0], port)
    raise AddressUnavailable("no address to listen on can be bound:\n%s" % "\n".join(reasons or ["none was given"]))


def _try(address):
    """The address in numbers. Raises OSError where it is taken or makes no sense, ValueError where it cannot be read."""
    if address.startswith(_UNIX):
        _try_path(address[len(_UNIX) :])
        return address
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError("not of the form host:port, nor unix:/path")
    family, kind, protocol, _, place = socket.getaddrinfo(
        host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(place)
        probe.listen(1)
    return "%s:%d" % ("[%s]" % place[0] if family == socket.AF_INET6 else place[0], place[1])


def _try_path(path):
    if not os.path.isabs(path):
        raise ValueError("the path must be absolute")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except FileNotFoundError:
            folder = os.path.dirname(path)
            if not os.access(folder, os.W_OK | os.X_OK):
                raise OSError(None, "the folder %s does not exist, or may not be written to" % folder) from None
            return
        except ConnectionRefusedError:
            return  # left over from a process that has ended
        raise OSError(None, "another process listens there")
