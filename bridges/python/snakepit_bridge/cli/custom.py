"""The console script `snakepit-custom-bridge`: an example of extending the basic commands."""

import base64
import hashlib
import time

from ..adapters.generic import GenericCommandHandler
from .bridge import run_bridge

_ALGORITHMS = ("sha256", "sha1", "md5")


class CustomCommandHandler(GenericCommandHandler):
    """The basic commands, and hash, encode and custom_info."""

    def __init__(self):
        super().__init__()
        self.custom_state = {"initialized_at": time.strftime("%Y-%m-%dT%H:%M:%S")}

    def _register_commands(self):
        super()._register_commands()
        self.register_command("hash", self.handle_hash)
        self.register_command("encode", self.handle_encode)
        self.register_command("custom_info", self.handle_custom_info)

    def handle_ping(self, args):
        """Tell that the worker is alive, and what kind it is."""
        custom_data = {"handler_type": type(self).__name__, **self.custom_state}
        return {**super().handle_ping(args), "bridge_type": "custom", "custom_data": custom_data}

    def handle_hash(self, args):
        """Hash `text` by `algorithm`: sha256, sha1 or md5."""
        text, algorithm = args.get("text", ""), args.get("algorithm", "sha256")
        if algorithm not in _ALGORITHMS:
            return _failed("Unsupported algorithm: %s" % (algorithm,))
        digest = hashlib.new(algorithm, text.encode()).hexdigest()
        return {"status": "ok", "algorithm": algorithm, "input": text, "hash": digest, "timestamp": time.time()}

    def handle_encode(self, args):
        """Encode or decode `text` by base64."""
        text, operation = args.get("text", ""), args.get("operation", "encode")
        if operation not in ("encode", "decode"):
            return _failed("Unsupported operation: %s" % (operation,))
        try:
            convert = base64.b64encode if operation == "encode" else base64.b64decode
            result = convert(text.encode()).decode()
        except ValueError as error:
            return _failed(str(error))
        return {"status": "ok", "operation": operation, "input": text, "result": result, "timestamp": time.time()}

    def handle_custom_info(self, args):
        """Describe what this handler adds to the basic commands."""
        basic = set(GenericCommandHandler().get_supported_commands())
        return {
            "status": "ok",
            "custom_state": self.custom_state,
            "handler_class": type(self).__name__,
            "additional_commands": [name for name in self.get_supported_commands() if name not in basic],
            "timestamp": time.time(),
        }


def _failed(reason):
    return {"status": "error", "error": reason, "timestamp": time.time()}


def main():
    """Serve the extended commands."""
    run_bridge("snakepit-custom-bridge", "Serves the basic commands, hash, encode and custom_info.", CustomCommandHandler)


if __name__ == "__main__":
    main()
