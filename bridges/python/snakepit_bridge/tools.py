"""The host's tools, as a command sees them."""

from .errors import INVALID_ARGUMENTS, HostError, Refusal, ToolError


class Tools:
    """Functions of the host: `ctx.tools.price_of(sku="x")`, or `ctx.tools.call("price.of", {"sku": "x"})`.

    Each takes named arguments, or one value. In asynchronous commands the answer has to be awaited; elsewhere the command waits.
    Raises ToolError for what the tool raised, or when it cannot be called; Cancelled if the call ends before the answer.
    """

    __slots__ = ("_runtime", "_call_id", "__dict__")

    def __init__(self, runtime, call_id):
        self._runtime = runtime
        self._call_id = call_id

    def call(self, name, args=None):
        """Call a tool by a name that is no attribute's, such as one with a dot in it."""
        return _call(self._runtime, self._call_id, name, args)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)

        runtime, call_id = self._runtime, self._call_id

        def tool(*args, **named):
            if not args:
                return _call(runtime, call_id, name, named)
            if named or len(args) > 1:
                raise TypeError("tools take named arguments or one value; %r got %d positional ones" % (name, len(args)))
            return _call(runtime, call_id, name, args[0])

        self.__dict__[name] = tool  # the next call finds it there
        return tool


def _call(runtime, call_id, name, args):
    if runtime.in_event_loop():
        return _answer_later(runtime, call_id, name, args)
    try:
        return runtime.ask_host(call_id, "tool.call", {"name": name, "args": args})
    except (HostError, Refusal) as error:
        raise _tool_error(name, error) from None


async def _answer_later(runtime, call_id, name, args):
    # Other commands run in this worker meanwhile.
    question = {"name": name, "args": args, "concurrent": True}
    try:
        return await runtime.ask_host_async(call_id, "tool.call", question)
    except (HostError, Refusal) as error:
        raise _tool_error(name, error) from None


def _tool_error(name, error):
    # A refusal says that the arguments cannot be sent.
    return ToolError(name, error if isinstance(error, HostError) else HostError(INVALID_ARGUMENTS, str(error)))
