"""Lets RPCs in that show the token."""

import hmac

import grpc

_KEY = "authorization"


class TokenGuard(grpc.GenericRpcHandler):
    """Stands before all services but that of health; `token` is what to show, or None where none is asked for.

    It decides by the metadata alone, before a message is read.
    """

    def __init__(self, token, handlers):
        self._expected = None if token is None else ("Bearer " + token).encode("utf-8")
        self._handlers = handlers
        self._refusal = grpc.stream_stream_rpc_method_handler(_refuse)

    def service(self, details):
        """The handler of an RPC; None where there is no such method."""
        handler = self._handlers.find(details)
        if handler is None or self._expected is None or self._shows_token(details.invocation_metadata):
            return handler
        return self._refusal

    def _shows_token(self, metadata):
        for key, value in metadata:
            if key == _KEY:
                return hmac.compare_digest(value.encode("utf-8") if isinstance(value, str) else value, self._expected)
        return False


class HandlerCollection:
    """Takes the place of a server in the `add_..._to_server` functions of generated code, and finds the handlers again."""

    def __init__(self):
        self._added = []
        self._found = {}

    def add_generic_rpc_handlers(self, handlers):
        """All generated code calls this."""
        self._added.extend(handlers)

    def add_registered_method_handlers(self, service, handlers):
        """Newer generated code calls this too; registered with a server, its methods would go past the guard."""

    def find(self, details):
        """The handler of an RPC, or None."""
        found = self._found.get(details.method)
        if found is None:
            found = next(filter(None, (added.service(details) for added in self._added)), None)
            if found is not None:
                self._found[details.method] = found
        return found


async def _refuse(_, context):
    await context.abort(grpc.StatusCode.UNAUTHENTICATED, "the token is missing, or not that of this worker")
