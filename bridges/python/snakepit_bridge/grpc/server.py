"""The gRPC server of a worker: its services, its limits, its addresses."""

import os

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from .addresses import bind_first
from .generated import snakepit_bridge_pb2_grpc, worker_pb2_grpc
from .guard import HandlerCollection, TokenGuard
from .health import SERVICE_NAME, WorkerHealth

WORKER_SERVICE = "snakepit.v2.Worker"
ANCESTOR_SERVICE = "snakepit.SnakepitBridge"

_ENVELOPE_BYTES = 64 * 1024
_MAX_MESSAGE_BYTES = 2**31 - 1
_WINDOW_BYTES = 8 * 1024 * 1024
_PING_INTERVAL_MS = 5000  # half of what hosts keep to, so that no ping counts as one too many


class WorkerServer:
    """Serves a WorkerService and what stands beside it. Every method runs on the gRPC thread."""

    def __init__(self, settings, worker_service, ancestor_service):
        self._settings = settings
        self._server = grpc.aio.server(options=_options(settings.max_frame_bytes))
        self._health = WorkerHealth()
        guarded = TokenGuard(settings.token, self._guarded(worker_service, ancestor_service))
        self._server.add_generic_rpc_handlers((guarded, self._open()))

    async def start(self):
        """Bind the first free address and serve; returns the address. Raises AddressUnavailable."""
        old_mask = os.umask(0o177) if self._settings.is_private else None
        try:
            listening = bind_first(self._settings.addresses, self._bind)
        finally:
            if old_mask is not None:
                os.umask(old_mask)
        await self._health.set(WORKER_SERVICE, health_pb2.HealthCheckResponse.SERVING)
        await self._server.start()
        return listening

    async def announce_end(self):
        """Tell those who probe the health that the worker ends."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace_seconds):
        """Take no more RPCs, and end those that are left after a while."""
        self._health.end_watches()
        await self._server.stop(grace_seconds)

    def _bind(self, address):
        tls = self._settings.tls
        try:
            if tls is None:
                port = self._server.add_insecure_port(address)
            else:
                port = self._server.add_secure_port(address, tls.credentials())
        except RuntimeError:
            port = 0  # which is how older releases of gRPC say it
        if not port:
            remedy = "" if tls is None else "; are the certificate and the key PEM texts that belong together?"
            raise RuntimeError("gRPC cannot listen on it" + remedy)
        return port

    def _guarded(self, worker_service, ancestor_service):
        """The services behind the token."""
        handlers = HandlerCollection()
        worker_pb2_grpc.add_WorkerServicer_to_server(_WorkerServicer(worker_service), handlers)
        snakepit_bridge_pb2_grpc.add_SnakepitBridgeServicer_to_server(ancestor_service, handlers)
        if self._settings.has_reflection:
            _add_reflection(handlers)
        return handlers

    def _open(self):
        """Health needs no token, because the probes of container platforms cannot show one."""
        handlers = HandlerCollection()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, handlers)
        return TokenGuard(None, handlers)


class _WorkerServicer:
    """Names the methods as the generated code does."""

    def __init__(self, service):
        self.Attach = service.attach
        self.Execute = service.execute
        self.ExecuteStream = service.execute_stream


def _add_reflection(handlers):
    from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

    names = (WORKER_SERVICE, ANCESTOR_SERVICE, SERVICE_NAME, reflection.SERVICE_NAME)
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(reflection.aio.ReflectionServicer(names), handlers)


def _options(max_frame_bytes):
    max_message_bytes = min(max_frame_bytes + _ENVELOPE_BYTES, _MAX_MESSAGE_BYTES)
    return (
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.so_reuseport", 0),
        ("grpc.http2.lookahead_bytes", _WINDOW_BYTES),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", _PING_INTERVAL_MS),
        ("grpc.keepalive_permit_without_calls", 1),
    )
