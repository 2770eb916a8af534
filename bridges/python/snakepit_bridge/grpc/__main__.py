"""Serves gRPC in a process that no host of ours has started: `python -m snakepit_bridge.grpc report.py --listen 0.0.0.0:50051`."""

import json
import signal
import sys
import threading

from ..fork_guard import end_by
from ..process import complain, prepare_process
from .command_line import read_command_line
from .requirements import require_grpc


def main(arguments=None):
    """Serve until SIGTERM or SIGINT, which let the calls at hand end; a second one interrupts them."""
    options = read_command_line(sys.argv[1:] if arguments is None else arguments)
    prepare_process()
    try:
        worker, listening = _start(options)
    except Exception as error:
        complain("the worker cannot start: %s: %s" % (type(error).__name__, error))
        raise SystemExit(1) from None
    _drain_on_termination(worker, options.drain_seconds)
    if options.port is None:
        print(json.dumps({"listening": listening}), flush=True)
    else:
        print("GRPC_SERVER_READY_ON_PORT=%s" % listening.rpartition(":")[2], flush=True)
    worker.serve()


def _start(options):
    settings = options.settings()
    require_grpc(settings.has_reflection)
    from .worker import GrpcWorker

    worker = GrpcWorker(options.load_manifest, settings, is_alone=False)
    return worker, worker.start()


def _drain_on_termination(worker, drain_seconds):
    interrupt = signal.getsignal(signal.SIGTERM)
    main_thread = threading.get_ident()

    def drain(signum, frame):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, interrupt)
        timer = threading.Timer(drain_seconds, signal.pthread_kill, (main_thread, signal.SIGTERM))
        timer.daemon = True
        timer.start()
        worker.drain()

    for number in (signal.SIGTERM, signal.SIGINT):
        end_by(number, drain)


if __name__ == "__main__":
    main()
