"""The command line of a worker that no host of ours has started."""

import argparse

_DEFAULT_ADAPTER = "snakepit_bridge.adapters.generic.GenericCommandHandler"
_DEFAULT_LISTEN = "127.0.0.1:50051"


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
        token = _read(options.token_file).decode("utf-8").strip() if options.token_file else None
        if options.token_file and not token:
            raise ValueError("%s has no token in it" % options.token_file)
        return ServerSettings(
            _addresses(options) if self.port is None else ["0.0.0.0:%d" % self.port],  # as the ancestor's bridges do
            token=token,
            tls=_read_tls(options),
            max_frame_bytes=options.max_frame_bytes,
            has_reflection=options.reflection,
        )

    def load_manifest(self):
        """The commands of the module, or of the handler class. Raises StartupError, and whatever the user's code raises."""
        from ..loader import load_module
        from ..manifest import manifest_of_handler, read_manifest

        if self._options.module:
            return read_manifest(load_module(self._options.module))
        module, _, name = (self._options.adapter or _DEFAULT_ADAPTER).rpartition(".")
        return manifest_of_handler(getattr(load_module(module), name)())


def read_command_line(arguments):
    """The CommandLine, or SystemExit with status 2 and the usage on stderr."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.module and options.port is None and not options.adapter:
        parser.error("a module is needed, such as report.py")
    if options.module and options.adapter:
        parser.error("a module and --adapter exclude each other")
    if options.port is not None and options.listen:
        parser.error("--port and --listen exclude each other")
    tls = (options.tls_cert, options.tls_key, options.tls_client_ca)
    if any(tls) and not all(tls):
        parser.error("--tls-cert, --tls-key and --tls-client-ca belong together")
    if options.port is None and not options.token_file and not options.tls_key and not all(map(_is_local, _addresses(options))):
        parser.error("--token-file is needed where other machines can connect: whoever can may run commands")
    if not options.max_frame_bytes > 0:
        parser.error("--max-frame-bytes must be positive")
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
    token_help = "holds the token that hosts have to show; needed unless only this machine, or hosts with a certificate, can connect"
    add("--token-file", metavar="FILE", help=token_help)
    add("--tls-cert", metavar="FILE", help="the worker's certificate chain, PEM")
    add("--tls-key", metavar="FILE", help="its key, PEM")
    add("--tls-client-ca", metavar="FILE", help="who signs the hosts' certificates, PEM")
    add("--max-frame-bytes", type=int, default=64 * 1024 * 1024, metavar="N", help="what a value may take; default 64 MiB")
    add("--reflection", action="store_true", help="serve grpc.reflection.v1alpha as well")
    add("--drain-seconds", type=float, default=25.0, metavar="N", help="how long calls may go on after SIGTERM; default 25")
    add("--port", type=int, metavar="N", help="listen on every interface, and say so as snakepit 0.3 for Elixir expects it")
    add("--adapter", metavar="MODULE.CLASS", help="a handler class in place of a module; default with --port: the generic one")
    return parser


def _addresses(options):
    return options.listen or [_DEFAULT_LISTEN]


def _is_local(address):
    return address.startswith(("unix:", "127.", "localhost:", "[::1]:"))


def _read_tls(options):
    if not options.tls_key:
        return None
    from .settings import Tls

    return Tls(*map(_read, (options.tls_cert, options.tls_key, options.tls_client_ca)))


def _read(path):
    with open(path, "rb") as file:
        return file.read()
