"""The host's tools, as a command sees them."""

import sys

from .errors import INVALID_ARGUMENTS, HostError, Refusal, ToolError


class Tools:
    """Functions of the host: `ctx.tools.price_of(sku="x")`, or `ctx.tools.call("price.of", {"sku": "x"})`.

    Each takes named arguments, or one value. In asynchronous commands the answer has to be awaited; elsewhere the command waits.
    Raises ToolError for what the tool raised, or when it cannot be called; Cancelled if the call ends before the answer.
    """

    __slots__ = ("_runtime", "_call_id")

    def __init__(self, runtime, call_id):
        self._runtime = runtime
        self._call_id = call_id

    def call(self, name, args=None):
        """Call a tool by a name that is no attribute's, such as one with a dot in it."""
        question = {"name": name, "args": args}
        if in_event_loop():
            question["concurrent"] = True  # other commands run in this worker meanwhile
            return self._answer_later(name, question)
        try:
            return self._runtime.ask_host(self._call_id, "tool.call", question)
        except (HostError, Refusal) as error:
            raise _tool_error(name, error) from None

    async def _answer_later(self, name, question):
        try:
            return await self._runtime.ask_host_async(self._call_id, "tool.call", question)
        except (HostError, Refusal) as error:
            raise _tool_error(name, error) from None

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)

        def tool(*args, **named):
            if len(args) + bool(named) > 1:
                raise TypeError("tools take named arguments or one value; %r got %d positional ones" % (name, len(args)))
            return self.call(name, args[0] if args else named)

        return tool


def in_event_loop():
    """Tell whether an asynchronous command is running here."""
    # Where nobody has imported asyncio, no event loop runs.
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None


def _tool_error(name, error):
    # A refusal says that the arguments cannot be sent.
    return ToolError(name, error if isinstance(error, HostError) else HostError(INVALID_ARGUMENTS, str(error)))
