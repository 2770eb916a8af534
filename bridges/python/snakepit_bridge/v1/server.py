"""Serves protocol v1 until stdin ends."""

import time

from ..codec import has_msgpack
from ..command import STREAM
from ..context import Context
from ..errors import (
    INVALID_ARGUMENTS,
    INVALID_RESULT,
    UNKNOWN_COMMAND,
    ProtocolError,
    Refusal,
    UnencodableValue,
    error_data,
    error_map,
)
from ..hooks import SHUTDOWN, START
from ..log import forward_logging
from ..process import complain, die_with_host, end_by_protocol_error, stack_signal
from .channel import Channel, take_over_stdio
from .runtime import V1Runtime

_NEGOTIATION = "protocol_negotiation"


def serve_v1(load_manifest, protocol, on_ready=None):
    """Serve the commands of `load_manifest()`; `protocol` is json, msgpack, or auto for what the host negotiates."""
    if protocol == "msgpack" and not has_msgpack():
        complain("--protocol msgpack needs the msgpack package: pip install msgpack")
        raise SystemExit(1)
    source, sink = take_over_stdio()
    try:
        manifest = load_manifest()
    except Exception as error:
        described = error_map(error)
        complain("the worker cannot start: %s" % described.get("traceback", described["message"]))
        raise SystemExit(1) from None
    runtime = V1Runtime()
    forward_logging(runtime, keeps_console=True)
    for hook in manifest.hooks(START):
        runtime.wait_for(hook())
    server = V1Server(Channel(source, sink, "msgpack" if protocol == "msgpack" else "json"), manifest, runtime)
    if on_ready is not None:
        on_ready(server.stop)
    try:
        server.serve(may_negotiate=protocol == "auto")
    except ProtocolError as error:
        end_by_protocol_error(error)
    except OSError:
        pass  # the host is gone, and with it whoever could read an answer
    finally:
        for hook in manifest.hooks(SHUTDOWN):
            runtime.wait_for(hook())
        runtime.close()


class V1Server:
    """Answers one request after the other."""

    def __init__(self, channel, manifest, runtime):
        self._channel = channel
        self._manifest = manifest
        self._runtime = runtime
        self._began = time.time()
        self._requests = 0
        self._news = _self_description()
        self._is_stopping = False

    def stop(self):
        """End the serving once the request at hand is answered."""
        self._is_stopping = True

    def serve(self, may_negotiate):
        """Serve until the input ends. Raises ProtocolError and OSError."""
        is_first = True
        while not self._is_stopping:
            request = self._channel.read()
            if request is None:
                return
            if is_first and may_negotiate and request.get("type") == _NEGOTIATION:
                self._negotiate(request)
            else:
                self._answer(request)
            if is_first:
                die_with_host()
                is_first = False

    def _negotiate(self, request):
        selected = select_protocol(request)
        self._channel.write({"type": "protocol_selected", "protocol": selected, "timestamp": _timestamp()})
        self._channel.use(selected)

    def _answer(self, request):
        number = request.get("id")
        self._requests += 1
        try:
            result = self._run(request)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._reply_error(number, error)
            return
        try:
            self._reply(number, result)
        except UnencodableValue as error:
            self._reply_error(number, Refusal(INVALID_RESULT, self._explain(result, error)))

    def _run(self, request):
        name, arguments = request.get("command"), request.get("args")
        command = self._manifest.find(name)
        if command is None:
            if name == "ping":
                return self._ping()
            known = ", ".join(sorted(self._manifest.by_name)[:20])
            raise Refusal(UNKNOWN_COMMAND, "no command named %r; this worker has: %s" % (name, known))
        if command.kind == STREAM:
            raise Refusal(INVALID_ARGUMENTS, "%s: streams need protocol v2" % name)
        context = Context(self._runtime, name, request.get("id")) if command.takes_context else None
        return self._runtime.wait_for(command.invoke(arguments, context))

    def _explain(self, result, error):
        """Why a reply cannot be sent, with the path to it within the result."""
        try:
            self._channel.codec.encode(result, "result")
        except UnencodableValue as precise:
            return str(precise)
        return str(error)

    def _ping(self):
        uptime = time.time() - self._began
        return {
            "status": "ok",
            "bridge_type": "python",
            "uptime": uptime,
            "requests_handled": self._requests,
            "timestamp": time.time(),
        }

    def _reply(self, number, result):
        self._channel.write({"id": number, "success": True, "result": result, "timestamp": _timestamp(), **self._news})
        self._news = {}

    def _reply_error(self, number, error):
        details = error_map(error)
        reply = {
            "id": number,
            "success": False,
            "error": details["message"] or details.get("type", "error"),
            "error_details": details,
            "timestamp": _timestamp(),
            **self._news,
        }
        self._news = {}
        data = error_data(error)
        if data is not None:
            try:
                self._channel.write({**reply, "error_details": {**details, "data": data}})
                return
            except UnencodableValue:
                pass  # data is a courtesy; what cannot be sent is left out
        self._channel.write(reply)


def select_protocol(request):
    """The codec's name for a host that negotiates."""
    supported = request.get("supported")
    if type(supported) is not list:
        return "json"
    can_msgpack = "msgpack" in supported and has_msgpack()
    wants_json = request.get("preferred") == "json" and "json" in supported
    return "msgpack" if can_msgpack and not wants_json else "json"


def _self_description():
    """What the first reply tells of this worker besides its answer."""
    name = stack_signal()
    return {"stackSignal": name} if name else {}


def _timestamp():
    now = time.time()
    return "%s.%03dZ" % (time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)), int(now * 1000) % 1000)
