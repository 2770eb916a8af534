"""Serves an ancestor-style handler object's commands as functions."""

from .command import CALL, STREAM, Command


class HandlerCommands:
    """Makes commands of what a `BaseCommandHandler` registers."""

    def __init__(self, handler):
        self.handler = handler
        self._registry = getattr(handler, "_command_registry", {})

    def commands(self):
        """One command for each name that the handler says it supports."""
        return [self.command_for(name) for name in self.handler.get_supported_commands()]

    def command_for(self, name):
        """A command for one name, listed or not; names that only `process_stream_command` knows are streams."""
        registered = self._registry.get(name)
        is_stream = self._is_stream(name, registered)
        function = self._streaming(name) if is_stream else self._calling(name)
        command = Command(name, function, kind=STREAM if is_stream else CALL)
        command.doc = Command(name, registered).doc if registered else None
        return command

    def _is_stream(self, name, registered):
        if registered is not None:
            return Command(name, registered).kind == STREAM
        return name in self.handler.get_supported_commands() and hasattr(self.handler, "process_stream_command")

    def _calling(self, name):
        process = self.handler.process_command

        def call(*values, **args):
            return process(name, _one_argument(values, args))

        return call

    def _streaming(self, name):
        process = self.handler.process_stream_command

        def stream(*values, **args):
            return _unwrap_chunks(process(name, _one_argument(values, args)))

        return stream


def _one_argument(values, args):
    """Handlers take one `args`: the map that was sent, else the value."""
    if args or not values:
        return args
    return values[0] if len(values) == 1 else list(values)


def _unwrap_chunks(chunks):
    """Yield the values of a stream; chunks of the ancestor's form `{data, is_final, error}` are opened."""
    for chunk in chunks:
        if not (isinstance(chunk, dict) and "is_final" in chunk and chunk.keys() <= {"data", "is_final", "error"}):
            yield chunk
            continue
        if chunk.get("error"):
            raise RuntimeError(chunk["error"])
        if "data" in chunk:
            yield chunk["data"]
        if chunk["is_final"]:
            return
