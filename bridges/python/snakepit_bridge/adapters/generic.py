"""A handler with the basic commands: ping, echo, compute, info."""

import operator
import sys
import time

from ..core import BaseCommandHandler
from ..version import __version__

_OPERATIONS = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
}


class GenericCommandHandler(BaseCommandHandler):
    """Commands that need nothing but Python."""

    def _register_commands(self):
        self.register_command("ping", self.handle_ping)
        self.register_command("echo", self.handle_echo)
        self.register_command("compute", self.handle_compute)
        self.register_command("info", self.handle_info)

    def handle_ping(self, args):
        """Tell that the worker is alive."""
        return {
            "status": "ok",
            "bridge_type": "generic",
            "uptime": time.time() - self.start_time,
            "requests_handled": self.request_count,
            "timestamp": time.time(),
            "python_version": sys.version,
            "worker_id": args.get("worker_id", "unknown"),
            "echo": args,
        }

    def handle_echo(self, args):
        """Return the arguments."""
        return {"status": "ok", "echoed": args, "timestamp": time.time()}

    def handle_compute(self, args):
        """Add, subtract, multiply or divide `a` and `b`."""
        operation, a, b = args.get("operation", "add"), args.get("a", 0), args.get("b", 0)
        try:
            result = _compute(operation, a, b)
        except (TypeError, ValueError, OverflowError) as error:
            return {"status": "error", "error": str(error), "timestamp": time.time()}
        inputs = {"a": a, "b": b}
        return {"status": "ok", "operation": operation, "inputs": inputs, "result": result, "timestamp": time.time()}

    def handle_info(self, args):
        """Describe the bridge and the system."""
        return {
            "status": "ok",
            "bridge_info": {
                "name": "Generic Snakepit Bridge",
                "version": __version__,
                "supported_commands": self.get_supported_commands(),
                "uptime": time.time() - self.start_time,
                "total_requests": self.request_count,
            },
            "system_info": {"python_version": sys.version, "platform": sys.platform},
            "timestamp": time.time(),
        }


def _compute(operation, a, b):
    if operation not in _OPERATIONS:
        raise ValueError("Unsupported operation: %s" % (operation,))
    if operation == "divide" and b == 0:
        raise ValueError("Division by zero")
    return _OPERATIONS[operation](a, b)
