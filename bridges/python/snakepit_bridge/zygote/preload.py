"""What is imported before the first worker is forked."""

import sys
import threading
from importlib import import_module

from ..errors import StartupError
from ..loader import load_manifest
from .rehearsal import rehearse


class Preload:
    """Modules to import by name, and the module with the commands, which may be left to the workers."""

    def __init__(self, names, target, includes_target, enhanced=None, has_threads=False):
        self._names = names
        self._target = target
        self._includes_target = includes_target
        self._enhanced = enhanced
        self._has_threads = has_threads
        self._manifest = None

    def run(self):
        """Import everything, and rehearse what workers do.

        Raises StartupError if a module started a thread, and whatever the modules raise.
        """
        _import_sdk()
        for name in self._names:
            _without_threads(name, lambda name=name: import_module(name))
        if self._includes_target:
            self._manifest = _without_threads(self._target, self.load_manifest)
            if any(command.is_async for command in self._manifest.commands) or self._manifest.has_async_hooks:
                import_module("snakepit_bridge.v2.async_runner")
        if self._has_threads:
            import_module("snakepit_bridge.v2.thread_runner")
        rehearse()

    def load_manifest(self):
        """The manifest of the commands, which is read only once."""
        return self._manifest or load_manifest(self._target, self._enhanced, self._has_threads)


def _import_sdk():
    """Import what every worker needs, however lazily a worker that was spawned goes about it."""
    import_module("snakepit_bridge.v2.server")
    import_module("snakepit_bridge.uncaught")


def _without_threads(name, load):
    before = _threads()
    loaded = load()
    started = [name for number, name in _threads().items() if number not in before]
    if started:
        raise StartupError(
            "the module %s started %s when it was imported (%s), and a process with threads cannot be forked safely; "
            "start threads in a function marked @on_start, or leave the module out of the option `zygote`"
            % (name, "a thread" if len(started) == 1 else "%d threads" % len(started), ", ".join(started))
        )
    return loaded


def _threads():
    """Names of all threads by number; those too that run Python code and that `threading` does not know of."""
    unnamed = {number: "thread %d" % number for number in sys._current_frames()}
    return {**unnamed, **{thread.ident: thread.name for thread in threading.enumerate()}}
