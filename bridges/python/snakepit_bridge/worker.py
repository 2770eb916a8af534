"""Runs a worker: `python -m snakepit_bridge.worker --module report.py`."""

import os
import sys

from .process import complain, prepare_process

USAGE = """usage: python -m snakepit_bridge.worker --module FILE.py|NAME [--protocol json|msgpack|auto] [--threads]
       [--enhanced JSON]

Serves the commands of a Python module to a host of nestjs-snakepit, which starts this program by itself.
--protocol is the codec of protocol v1 (default: auto); protocol v2 agrees on its codec with the host.
--threads, for protocol v2 on a descriptor, runs plain functions side by side, as many as the host's hello says.
--enhanced serves the library commands (python.call …) too; {"allow": ["math", "sklearn.*"]} and further settings."""

_WRONG_USAGE = 2
_PROTOCOLS = ("json", "msgpack", "auto")


def main(arguments=None):
    """Serve until the host asks for the end."""
    options = _read_options(sys.argv[1:] if arguments is None else arguments)
    prepare_process()

    def load():
        from .loader import load_manifest

        return load_manifest(options["--module"], options["--enhanced"], options["--threads"])

    serve(load, options["--protocol"])


def serve(load_manifest, protocol, on_ready=None):
    """Serve by the protocol that the environment names; v1, with the codec `protocol`, where it names none.

    `on_ready` is given a function that ends the serving once the calls at hand are answered.
    """
    name = os.environ.pop("SNAKEPIT_PROTOCOL", "v1")
    descriptor = os.environ.pop("SNAKEPIT_FD", "")
    if name == "v2" and descriptor.isdigit():
        from .v2.server import serve_v2

        serve_v2(int(descriptor), load_manifest, on_ready)
    elif name == "grpc" and descriptor.isdigit():
        from .grpc.launched import serve_grpc

        serve_grpc(int(descriptor), load_manifest, on_ready)
    elif name == "v1":
        from .v1.server import serve_v1

        serve_v1(load_manifest, protocol, on_ready)
    else:
        complain("cannot serve SNAKEPIT_PROTOCOL=%r with SNAKEPIT_FD=%r" % (name, descriptor))
        raise SystemExit(_WRONG_USAGE)


def _read_options(arguments):
    options = {"--module": None, "--protocol": "auto", "--threads": False, "--enhanced": None}
    rest = list(arguments)
    while rest:
        name, separator, value = rest.pop(0).partition("=")
        if name in ("-h", "--help"):
            print(USAGE)
            raise SystemExit(0)
        if name not in options:
            _fail("unknown argument %r" % name)
        if name == "--threads":
            options[name] = True
            continue
        if not separator and not rest:
            _fail("%s needs a value" % name)
        options[name] = value if separator else rest.pop(0)
    if not options["--module"]:
        _fail("--module is required")
    if options["--protocol"] not in _PROTOCOLS:
        _fail("--protocol must be one of %s, not %r" % (", ".join(_PROTOCOLS), options["--protocol"]))
    return options


def _fail(reason):
    complain("%s\n%s" % (reason, USAGE))
    raise SystemExit(_WRONG_USAGE)


if __name__ == "__main__":
    main()
