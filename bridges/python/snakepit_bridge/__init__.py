"""Write commands in Python that a NestJS application calls through `nestjs-snakepit`."""

from .batching import batch
from .command import command
from .context import Context
from .errors import Cancelled, HostError, MessageError, SnakepitError, ToolError
from .hooks import on_session_close, on_session_open, on_shutdown, on_start
from .version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .adapters.generic import GenericCommandHandler
    from .core import BaseCommandHandler, ProtocolHandler

__all__ = [
    "BaseCommandHandler",
    "Cancelled",
    "Context",
    "GenericCommandHandler",
    "HostError",
    "MessageError",
    "ProtocolHandler",
    "SnakepitError",
    "ToolError",
    "__version__",
    "batch",
    "command",
    "on_session_close",
    "on_session_open",
    "on_shutdown",
    "on_start",
]


def __getattr__(name):
    """Load the ancestor's classes only when they are asked for, since start-up time counts."""
    if name in ("BaseCommandHandler", "ProtocolHandler"):
        from . import core

        return getattr(core, name)
    if name == "GenericCommandHandler":
        from .adapters.generic import GenericCommandHandler

        return GenericCommandHandler
    raise AttributeError("module %r has no attribute %r" % (__name__, name))
