"""Serves gRPC in a process that a host has started, from its offer to the end."""

from ..errors import ProtocolError, error_map, refusal_map
from ..process import complain, die_with_host, end_by_protocol_error, exit_status, is_terminated
from .lifeline import Lifeline
from .requirements import require_grpc


def serve_grpc(descriptor, load_manifest, on_ready=None):
    """Serve the commands of `load_manifest()`; `descriptor` is the lifeline. Returns when the host asks for the end.

    Raises SystemExit if the worker cannot start, with status 1 unless the module asked for another. If the host goes away, the process ends here.
    """
    lifeline = Lifeline(descriptor)
    try:
        settings = lifeline.read_offer()
    except ProtocolError as error:
        end_by_protocol_error(error)
    try:
        require_grpc(settings.has_reflection)
        from .worker import GrpcWorker

        worker = GrpcWorker(load_manifest, settings, is_alone=True)
        listening = worker.start()
    except BaseException as error:
        if isinstance(error, SystemExit) and is_terminated():
            raise
        complain("the worker cannot start: %s: %s" % (type(error).__name__, error))
        lifeline.answer({"error": _describe(error)})
        raise SystemExit(exit_status(error)) from None
    if on_ready is not None:
        on_ready(worker.drain)
    lifeline.answer({"listening": listening})
    die_with_host()
    worker.serve()


def _describe(error):
    code = getattr(error, "code", None)
    return refusal_map(code, str(error)) if code == "ADDRESS_UNAVAILABLE" else error_map(error)
