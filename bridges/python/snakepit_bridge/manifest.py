"""What a module offers: its commands and hooks."""

import sys

from . import hooks
from .batching import batch_settings
from .command import Command, describe, marked_name
from .errors import StartupError

_MAX_COMMANDS = 65535
_FUNCTION = type(lambda: None)


class Manifest:
    """Commands in the order of their index, and hooks by kind; `handlers` serve names that are not listed.

    `has_threads` says that plain commands run side by side, on threads, as asynchronous ones do in their event loop.
    """

    def __init__(self, commands, hooks_by_kind, handlers=(), has_threads=False):
        self.commands = commands
        self.by_name = {command.name: command for command in commands}
        self.handlers = handlers
        self.has_threads = has_threads
        self._hooks = hooks_by_kind

    def hooks(self, kind):
        """The hooks of one kind, in the order of their definition."""
        return self._hooks.get(kind, ())

    @property
    def has_async_hooks(self):
        """Tell whether a hook is a coroutine function."""
        return any(Command("", hook).is_async for kind in self._hooks.values() for hook in kind)

    def find(self, name):
        """The command called `name`, or None; an ancestor-style handler may take names that it does not list."""
        found = self.by_name.get(name)
        if found is None and self.handlers and isinstance(name, str):
            return self.handlers[0].command_for(name)
        return found

    def is_concurrent(self, command):
        """Tell whether a call of the command leaves the worker free to run others."""
        return command.is_async or self.has_threads

    def describe(self, tells_concurrency=False):
        """The manifest as the hello carries it."""
        return [
            {
                "name": command.name,
                "kind": command.kind,
                **({"doc": command.doc} if command.doc else {}),
                **({} if command.batch is None else {"batch": command.batch}),
                **({} if command.contract is None else command.contract.describe()),
                **({} if self.is_concurrent(command) or not tells_concurrency else {"concurrent": False}),
                **({} if command.takes_context else {"context": False}),
            }
            for command in self.commands
        ]


def read_manifest(module, libraries=(), has_threads=False):
    """Find the commands and hooks of a module, and those of `libraries` (see `Enhanced`).

    Raises StartupError where names clash or nothing is found.
    """
    handlers = _create_handlers(module)
    libraries = [*libraries, *_libraries(module)]
    named = [entry for source in (*handlers, *libraries) for entry in source.commands()]
    functions = _marked(module) or ([] if handlers else _public_functions(module))
    for name, function in functions:
        command = Command(name, function)
        command.read_contract()
        named.append(command)
    _check(module, named)
    return Manifest(named, _read_hooks(module, libraries), handlers, has_threads)


def manifest_of_handler(handler):
    """The manifest of one ancestor-style handler object."""
    from .handler_commands import HandlerCommands

    adapter = HandlerCommands(handler)
    return Manifest(adapter.commands(), {}, (adapter,))


def _marked(module):
    """What `@command` marks; if that is anything, also what `@batch` marks, which hides no other function by itself."""
    found = {}
    is_chosen = False
    for value in vars(module).values():
        name = marked_name(value)
        if name is not None:
            is_chosen = True
        elif batch_settings(value) is not None:
            name = value.__name__
        if name is not None:
            found[id(value)] = (name, value)
    return list(found.values()) if is_chosen else []


def _public_functions(module):
    return [
        (name, value)
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (type(value) is _FUNCTION or hasattr(value, "__wrapped__"))
        and callable(value)
        and not isinstance(value, type)
        and getattr(value, "__module__", None) == module.__name__
        and hooks.hook_kind(value) is None
    ]


def _create_handlers(module):
    """One adapter for each concrete handler class that the module itself defines."""
    core = sys.modules.get("snakepit_bridge.core")
    if core is None:
        return ()
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, core.BaseCommandHandler)
        and value.__module__ == module.__name__
        and not getattr(value, "__abstractmethods__", None)
    ]
    bases = {base for each in classes for base in each.__mro__[1:]}
    leaves = [each for each in dict.fromkeys(classes) if each not in bases]
    from .handler_commands import HandlerCommands

    return tuple(HandlerCommands(each()) for each in leaves)


def _libraries(module):
    """What the module itself serves of other libraries."""
    enhanced = sys.modules.get("snakepit_bridge.enhanced.service")
    return [] if enhanced is None else [value for value in vars(module).values() if isinstance(value, enhanced.Enhanced)]


def _read_hooks(module, libraries):
    found = {}
    for library in libraries:
        for kind, library_hooks in library.hooks().items():
            found.setdefault(kind, []).extend(library_hooks)
    for value in vars(module).values():
        kind = hooks.hook_kind(value)
        if kind is not None and value not in found.setdefault(kind, []):
            found[kind].append(value)
    return found


def _check(module, commands):
    seen = {}
    for command in commands:
        other = seen.setdefault(command.name, command)
        if other is not command:
            raise StartupError(
                "two commands named %r: %s and %s; rename one"
                % (command.name, describe(other.function), describe(command.function))
            )
    if not commands:
        raise StartupError("%s has no command; define a public function, or mark one with @command" % module.__name__)
    if len(commands) > _MAX_COMMANDS:
        count = len(commands)
        raise StartupError("%s has %d commands; at most %d are possible" % (module.__name__, count, _MAX_COMMANDS))
