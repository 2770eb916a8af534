"""What the console scripts have in common."""

import sys

from ..core import ProtocolHandler, setup_broken_pipe_suppression, setup_graceful_shutdown


def run_bridge(program, purpose, handler_class):
    """Read the command line and serve a handler of `handler_class`."""
    options = _parser(program, purpose, handler_class).parse_args()
    setup_broken_pipe_suppression()
    protocol_handler = ProtocolHandler(handler_class(), protocol=options.protocol, quiet=options.quiet)
    setup_graceful_shutdown(protocol_handler)
    protocol_handler.run()


def _parser(program, purpose, handler_class):
    from argparse import ArgumentParser

    commands = ", ".join(sorted(handler_class().get_supported_commands())) if _wants_help() else ""
    parser = ArgumentParser(prog=program, description=purpose, epilog="commands: %s" % commands)
    parser.add_argument("--mode", choices=["pool-worker"], default="pool-worker", help="how the bridge is run")
    parser.add_argument("--protocol", choices=["json", "msgpack", "auto"], default="auto", help="codec of protocol v1")
    parser.add_argument("--quiet", action="store_true", help="print nothing at start-up")
    return parser


def _wants_help():
    return bool({"-h", "--help"} & set(sys.argv[1:]))
