"""The classes of snakepit's first bridges, so that code written for them runs unmodified."""

import sys
import time
from abc import ABC, abstractmethod

from .errors import UNKNOWN_COMMAND, Refusal
from .process import prepare_process


class BaseCommandHandler(ABC):
    """Serves commands by functions that take one dict `args`; subclasses register them in `_register_commands`."""

    def __init__(self):
        self.start_time = time.time()
        self.request_count = 0
        self._command_registry = {}
        self._register_commands()

    @abstractmethod
    def _register_commands(self):
        """Call `register_command` for each command."""

    def register_command(self, command, handler):
        """Serve `command` by `handler(args)`; a generator function makes it a stream."""
        self._command_registry[command] = handler

    def get_supported_commands(self):
        """The names of the commands, as a list."""
        return list(self._command_registry)

    def process_command(self, command, args):
        """Run one command and return its result."""
        self.request_count += 1
        handler = self._command_registry.get(command)
        return self._handle_unknown_command(command) if handler is None else handler(args)

    def process_stream_command(self, command, args):
        """Run one command as a stream: yield its values, or its one result."""
        result = self.process_command(command, args)
        if hasattr(result, "__next__"):
            yield from result
        else:
            yield result

    def _handle_unknown_command(self, command):
        """Answer a command that is not registered. Raises an error of code UNKNOWN_COMMAND."""
        known = ", ".join(self.get_supported_commands())
        raise Refusal(UNKNOWN_COMMAND, "Unknown command: %s; supported: %s" % (command, known))


class ProtocolHandler:
    """Serves a handler to the host that started this process, by the protocol that the host chose.

    `protocol` is the codec of protocol v1: json, msgpack, or auto; `quiet` suppresses the line at start-up.
    """

    def __init__(self, command_handler=None, protocol="auto", quiet=False, **_):
        if command_handler is None:
            raise ValueError("command_handler is required; pass an instance of a BaseCommandHandler subclass")
        if protocol not in ("json", "msgpack", "auto"):
            raise ValueError("protocol must be json, msgpack or auto, not %r" % (protocol,))
        self.command_handler = command_handler
        self.protocol = protocol
        self.quiet = quiet
        self.shutdown_requested = False
        self._stop = None

    def run(self):
        """Serve until the host asks for the end or is gone, then exit with status 0."""
        from .manifest import manifest_of_handler
        from .worker import serve

        prepare_process()
        if not self.quiet:
            safe_print("Snakepit bridge started (protocol: %s)" % self.protocol)
        serve(lambda: manifest_of_handler(self.command_handler), self.protocol, self._on_ready)
        sys.exit(0)

    def request_shutdown(self):
        """End `run` once the calls at hand are answered."""
        self.shutdown_requested = True
        if self._stop is not None:
            self._stop()

    def _on_ready(self, stop):
        self._stop = stop
        if self.shutdown_requested:
            stop()


def setup_graceful_shutdown(protocol_handler):
    """Let SIGTERM end the process in good order; `run` does so by itself, and this keeps older scripts working."""
    prepare_process()


def setup_broken_pipe_suppression():
    """Keep the interpreter quiet when the host is gone before the last output was flushed."""
    import atexit

    atexit.register(_close_quietly, sys.stdout)
    atexit.register(_close_quietly, sys.stderr)


def safe_print(message, file=None):
    """Print a line to stderr, or to `file`, whether or not somebody still reads it."""
    try:
        print(message, file=file or sys.stderr, flush=True)
    except (OSError, ValueError, AttributeError):
        pass


def _close_quietly(stream):
    try:
        stream.close()
    except (OSError, ValueError, AttributeError):
        pass
