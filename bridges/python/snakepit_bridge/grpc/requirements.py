"""What gRPC needs from outside the standard library."""

import importlib
import os

from ..errors import StartupError
from ..process import complain

_FORK_SUPPORT = "GRPC_ENABLE_FORK_SUPPORT"
_NEEDED = ("grpc.aio", "grpc_health.v1.health", "google.protobuf")


def require_grpc(has_reflection=False):
    """Load gRPC. Raises StartupError with the remedy where it is missing, or does not work here."""
    _leave_forks_alone()
    for name in _NEEDED + (("grpc_reflection.v1alpha.reflection",) if has_reflection else ()):
        try:
            importlib.import_module(name)
        except ImportError as error:
            extra = "all" if has_reflection else "grpc"
            raise StartupError(
                "this worker is to be reached over gRPC, for which Python needs more packages: pip install 'snakepit-bridge[%s]' (%s)"
                % (extra, error)
            ) from None


def _leave_forks_alone():
    """Turn off gRPC's own handlers of forks: they end children that do not use gRPC, since its threads are at work when a command forks."""
    if os.environ.get(_FORK_SUPPORT, "0").lower() in ("1", "true", "yes"):
        complain("%s is turned off: with it, children that commands fork would end at once" % _FORK_SUPPORT)
    os.environ[_FORK_SUPPORT] = "0"
