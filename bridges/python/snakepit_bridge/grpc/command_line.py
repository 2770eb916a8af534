"""The command line of a worker that no host of ours has started."""

import argparse
import re

_DEFAULT_ADAPTER = "snakepit_bridge.adapters.generic.GenericCommandHandler"
# What loads as a module where a worker has no commands of its own.
_NO_MODULE = "snakepit_bridge.enhanced"
_DEFAULT_LISTEN = "127.0.0.1:50051"
_MAX_FRAME_BYTES = 2**31 - 1
_MAX_DRAIN_SECONDS = 86_400
_TOKEN = re.compile("[!-~]+")


class CommandLine:
    """What was asked for; `port` is that of the ancestor's start, else None."""

    def __init__(self, options):
        self.port = options.port
        self.drain_seconds = options.drain_seconds
        self._options = options

    def settings(self):
        """Where to listen and whom to let in. Raises OSError where a file cannot be read."""
        from .settings import ServerSettings

        options = self._options
        return ServerSettings(
            _addresses(options) if self.port is None else ["0.0.0.0:%d" % self.port],  # as the ancestor's bridges do
            token=_read_token(options.token_file) if options.token_file else None,
            tls=_read_tls(options),
            max_frame_bytes=options.max_frame_bytes,
            has_reflection=options.reflection,
            is_private=True,
        )

    def load_manifest(self):
        """The commands of the module, or of the handler class. Raises StartupError, and whatever the user's code raises."""
        from ..loader import load_manifest, load_module
        from ..manifest import manifest_of_handler

        if self._options.module:
            return load_manifest(self._options.module, self._options.enhanced)
        module, _, name = (self._options.adapter or _DEFAULT_ADAPTER).rpartition(".")
        return manifest_of_handler(getattr(load_module(module), name)())


def read_command_line(arguments):
    """The CommandLine, or SystemExit with status 2 and the usage on stderr. The Node SDK has the same flags, and says the same of them."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.enhanced is not None and (options.adapter or options.port is not None):
        parser.error("--enhanced goes with a module or alone, and not with --adapter or --port")
    if options.enhanced is not None and not options.module:
        options.module = _NO_MODULE
    if not options.module and options.port is None and not options.adapter:
        parser.error("a module is needed, such as report.py")
    if options.module and options.adapter:
        parser.error("a module and --adapter exclude each other")
    if options.port is not None and options.listen:
        parser.error("--port and --listen exclude each other")
    tls = (options.tls_cert, options.tls_key, options.tls_client_ca)
    if any(tls) and not all(tls):
        parser.error("--tls-cert, --tls-key and --tls-client-ca belong together")
    if options.token_file and options.no_token:
        parser.error("--token-file and --no-token exclude each other")
    if options.port is None and not options.token_file and not options.no_token:
        parser.error("--token-file is needed, or --no-token where whoever can connect may run commands")
    if not 0 < options.max_frame_bytes <= _MAX_FRAME_BYTES:
        parser.error("--max-frame-bytes must be a whole number from 1 to %d" % _MAX_FRAME_BYTES)
    if not 0 <= options.drain_seconds <= _MAX_DRAIN_SECONDS:
        parser.error("--drain-seconds must be a number from 0 to %d" % _MAX_DRAIN_SECONDS)
    return CommandLine(options)


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m snakepit_bridge.grpc",
        description="Serves the commands of a Python module over gRPC, for hosts that find it by its address.",
    )
    add = parser.add_argument
    add("module", nargs="?", help="file or dotted name of the module with the commands")
    listen_help = "host:port, or unix:/path; several times: the first that is free; default %s" % _DEFAULT_LISTEN
    add("--listen", action="append", metavar="ADDRESS", help=listen_help)
    add("--token-file", metavar="FILE", help="holds the token that hosts have to show")
    add("--no-token", action="store_true", help="let in whoever can connect, and run what they ask for")
    add("--tls-cert", metavar="FILE", help="the worker's certificate chain, PEM")
    add("--tls-key", metavar="FILE", help="its key, PEM")
    add("--tls-client-ca", metavar="FILE", help="who signs the hosts' certificates, PEM")
    add("--max-frame-bytes", type=_whole, default=64 * 1024 * 1024, metavar="N", help="what a value may take; default 64 MiB")
    enhanced_help = 'serve the library commands (python.call ...) too: {"allow": ["math", "sklearn.*"]} and further settings'
    add("--enhanced", metavar="JSON", help=enhanced_help)
    add("--reflection", action="store_true", help="serve grpc.reflection.v1alpha as well")
    drain_help = "how long calls may go on after SIGTERM, a second of which ends them; default 25"
    add("--drain-seconds", type=_number, default=25.0, metavar="N", help=drain_help)
    port_help = "listen on every interface, without a token unless one is given, and say so as snakepit 0.3 for Elixir expects it"
    add("--port", type=int, metavar="N", help=port_help)
    add("--adapter", metavar="MODULE.CLASS", help="a handler class in place of a module; default with --port: the generic one")
    return parser


def _addresses(options):
    return options.listen or [_DEFAULT_LISTEN]


def _whole(text):
    """A number, or one that is out of bounds where there is none."""
    return int(text) if text.isdigit() else -1


def _number(text):
    return float(text) if re.fullmatch(r"\d+(\.\d*)?", text) else -1.0


def _read_token(path):
    token = _read(path).decode("utf-8", "replace").strip()
    if not _TOKEN.fullmatch(token):
        raise ValueError("--token-file: %s must hold one token of visible ASCII characters" % path)
    return token


def _read_tls(options):
    if not options.tls_key:
        return None
    from .settings import Tls

    return Tls(*map(_read, (options.tls_cert, options.tls_key, options.tls_client_ca)))


def _read(path):
    with open(path, "rb") as file:
        return file.read()
