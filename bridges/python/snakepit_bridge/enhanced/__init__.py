"""Commands that call allow-listed libraries, so that a host can use them without a worker of its own.

In a worker's module: `library = Enhanced(allow=["pandas", "sklearn.*", "math"])`.
"""

from .plugin import Plugin, register_plugin
from .serializers import register_serializer
from .service import Enhanced

__all__ = ["Enhanced", "Plugin", "register_plugin", "register_serializer"]
