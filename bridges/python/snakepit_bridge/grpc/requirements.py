"""What gRPC needs from outside the standard library."""

import importlib
import os

from ..errors import StartupError

_NEEDED = ("grpc.aio", "grpc_health.v1.health", "google.protobuf")


def require_grpc(has_reflection=False):
    """Load gRPC. Raises StartupError with the remedy where it is missing, or does not work here."""
    # Commands may start programs; gRPC's own handlers of forks stand in the way of a child that does not use gRPC.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    for name in _NEEDED + (("grpc_reflection.v1alpha.reflection",) if has_reflection else ()):
        try:
            importlib.import_module(name)
        except ImportError as error:
            extra = "all" if has_reflection else "grpc"
            raise StartupError(
                "this worker is to be reached over gRPC, for which Python needs more packages: pip install 'snakepit-bridge[%s]' (%s)"
                % (extra, error)
            ) from None
