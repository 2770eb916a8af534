"""One worker that speaks gRPC, from its start to its end."""

import os
import signal
import threading

from ..hooks import SHUTDOWN, START
from ..log import forward_logging
from ..process import complain, ignore_termination
from ..uncaught import tell_end
from .hello import Limits
from .loop_thread import LoopThread
from .signal_bell import SignalBell

_DRAIN_SECONDS = 1.0
_CLOSE_SECONDS = 2.0


class GrpcWorker:
    """Serves a manifest's commands; `is_alone` says that one host has started this worker. Used from the main thread."""

    def __init__(self, load_manifest, settings, is_alone):
        from .parts import Parts

        self._exit_error = None
        self._main_thread = threading.get_ident()
        self._is_alone = is_alone
        self._settings = settings
        self._manifest = load_manifest()
        self._grpc = LoopThread()
        self._parts = Parts(self._manifest, self._grpc.loop, Limits(settings.max_frame_bytes), self._exit_from_thread)
        self._server = None
        self._signal_bell = None
        self._service = None

    def start(self):
        """Run the hooks for it, then listen; returns the address. Raises AddressUnavailable, and what hooks raise."""
        runtime = self._parts.worker_runtime
        forward_logging(runtime, keeps_console=not self._is_alone)
        self._grpc.start()
        self._signal_bell = SignalBell(self._grpc.loop, self._parts.command_thread.wake)
        self._parts.async_runner.start()
        for hook in self._manifest.hooks(START):
            runtime.run_hook(hook)
        return self._grpc.run(self._start_server())

    def drain(self):
        """Take no more calls, and end `serve` when those at hand are answered. From any thread, and from signal handlers."""
        self._grpc.loop.call_soon_threadsafe(self._announce_end)
        self._parts.command_thread.stop()

    def serve(self):
        """Run commands until `drain`, or a SystemExit of commands, or SIGTERM; then clean up and close every connection."""
        pid = os.getpid()
        try:
            self._parts.command_thread.serve()
        except SystemExit:
            if self._exit_error is not None:
                raise self._exit_error from None
            raise
        except BaseException as error:
            tell_end(error)  # afterwards no host is there
            raise
        finally:
            if os.getpid() == pid:  # a child that a command has forked, and that it lets end by `sys.exit`, passes by here
                ignore_termination()
                self._wind_down()

    async def _start_server(self):
        from .ancestor import AncestorService
        from .server import WorkerServer
        from .service import WorkerService

        self._service = WorkerService(self._parts, self._is_alone, self.drain)
        ancestor = AncestorService(self._parts, self._service)
        self._server = WorkerServer(self._settings, self._service, ancestor)
        return await self._server.start()

    def _announce_end(self):
        if self._service.is_admitting:
            self._service.is_admitting = False
            self._grpc.loop.create_task(self._server.announce_end())

    def _wind_down(self):
        self._grpc.loop.call_soon_threadsafe(self._announce_end)
        self._parts.streams.close_all()
        self._parts.async_runner.cancel_all(_DRAIN_SECONDS)
        for hook in self._manifest.hooks(SHUTDOWN):
            self._run_last(hook)
        self._parts.async_runner.stop(_DRAIN_SECONDS)
        try:
            self._grpc.run(self._close(), 2 * _CLOSE_SECONDS)
        except Exception as error:
            complain("the gRPC server did not close in good order: %s: %s" % (type(error).__name__, error))
        self._signal_bell.remove()
        self._grpc.stop(_CLOSE_SECONDS)

    async def _close(self):
        self._parts.doorbell.answer()
        self._parts.attachments.close_all()
        await self._server.stop(_CLOSE_SECONDS)

    def _run_last(self, hook):
        try:
            self._parts.worker_runtime.run_hook(hook)
        except Exception as error:
            complain("on_shutdown failed: %s: %s" % (type(error).__name__, error))

    def _exit_from_thread(self, ending):
        """A command on another thread raised SystemExit: let the main thread end the worker with its status."""
        self._exit_error = ending
        signal.pthread_kill(self._main_thread, signal.SIGTERM)
