"""Commands: functions of the user's that the host may call."""

from .batching import batch_settings
from .errors import INVALID_ARGUMENTS, Refusal, StartupError
from .views import share_views

CALL = "call"
STREAM = "stream"

_MARK = "__snakepit_command__"
_COROUTINE = 0x80 | 0x100
_GENERATOR = 0x20
_ASYNC_GENERATOR = 0x200


def command(function=None, *, name=None):
    """Mark a function as a command, called `name` (default: the function's name); it stays callable as before.

    Raises StartupError if the same file has another command of that name.
    """
    if function is None:
        return lambda marked: command(marked, name=name)
    chosen = name or getattr(function, "__name__", None)
    if not callable(function) or not isinstance(chosen, str):
        raise StartupError("@command takes a function and a name of type str, not %r and %r" % (function, chosen))
    _refuse_shadowed(function, chosen)
    try:
        setattr(function, _MARK, chosen)
    except AttributeError:
        raise StartupError("@command cannot mark %r; wrap it in a function" % (function,)) from None
    return function


def marked_name(candidate):
    """The name given by `@command`, or None where the object is not marked."""
    if not callable(candidate) or isinstance(candidate, type):
        return None
    mark = getattr(candidate, _MARK, None)
    return mark if isinstance(mark, str) else None


def describe(function):
    """Where a function stands, for messages: `report.add (report.py:3)`."""
    code = getattr(_unwrap(function), "__code__", None)
    place = " (%s:%d)" % (code.co_filename, code.co_firstlineno) if code else ""
    return "%s.%s%s" % (getattr(function, "__module__", "?"), getattr(function, "__qualname__", "?"), place)


class Command:
    """A command ready to be called.

    `is_plain` marks the fast path: a synchronous function that takes no context and returns one value.
    `batch` is what `@batch` was told, None where the function was not marked by it.
    `contract` is what its annotations say, None where there are none or nobody has asked for it.
    `is_slow` is what the worker has learned: its last run took long, so replies that wait are sent before it starts.
    """

    __slots__ = (
        "name",
        "function",
        "kind",
        "is_async",
        "is_plain",
        "is_slow",
        "doc",
        "batch",
        "contract",
        "_context_name",
        "_context_index",
        "_view_names",
        "_names",
    )

    def __init__(self, name, function, *, kind=None):
        code = getattr(_unwrap(function), "__code__", None)
        flags = code.co_flags if code else 0
        self.name = name
        self.function = function
        self.kind = kind or (STREAM if flags & (_GENERATOR | _ASYNC_GENERATOR) else CALL)
        self.is_async = bool(flags & (_COROUTINE | _ASYNC_GENERATOR))
        self._context_name, self._context_index = _context_parameter(function)
        self._names = [name for name in _parameter_names(function)[0] if name != self._context_name]
        self._view_names = _view_parameters(function)
        self.batch = batch_settings(function)
        if self.batch is not None and self.kind == STREAM:
            raise StartupError("@batch: %s yields; a batch has one list of results" % describe(function))
        is_simple = self.kind == CALL and not self.is_async and self.batch is None
        self.is_plain = is_simple and not self.takes_context and not self.takes_views
        self.is_slow = True
        self.contract = None
        self.doc = _summary(function)

    @property
    def context_name(self):
        """The name of the parameter for the context, or None."""
        return self._context_name

    def read_contract(self):
        """Look at the annotations, by which the command describes itself and converts its arguments. Raises StartupError."""
        if not getattr(_unwrap(self.function), "__annotations__", None):
            return
        from .contracts.contract import contract_of

        self.contract = contract_of(self)
        if self.contract is not None and self.contract.converts:
            self.is_plain = False

    @property
    def takes_context(self):
        """Tell whether the function has a parameter for the context."""
        return self._context_name is not None

    @property
    def takes_views(self):
        """Tell whether a parameter is annotated memoryview: it gets binary without a copy."""
        return bool(self._view_names)

    def invoke(self, arguments, context=None, is_batch=False):
        """Call the function: a map as named arguments, a list as positional ones, None as none.

        A function that takes batches, or gets one, is called with a list of such arguments. Raises Refusal if the arguments do
        not fit; whatever the function raises passes through.
        """
        if is_batch or self.batch is not None:
            from .batch_call import run_batch, run_single

            return (run_batch if is_batch else run_single)(self, arguments, context)
        if self._view_names:
            arguments = share_views(arguments, self._names, self._view_names)
        if self.contract is not None and self.contract.converts:
            arguments = self.contract.convert(self.name, arguments)
        return self._call(*self._split(arguments, context))

    def call_with(self, argument, context):
        """Call the function with one argument, and the context if it takes that. Raises as `invoke` does."""
        return self._call(*self._split([argument], context))

    def _call(self, positional, named):
        try:
            return self.function(*positional, **named)
        except TypeError as error:
            self.check_fit(positional, named, error)
            raise

    def refuse_misfit(self, arguments, error):
        """After a TypeError of a direct call: raise Refusal if the arguments do not fit, else return."""
        self.check_fit(*self._split(arguments, None), error)

    def check_fit(self, positional, named, error):
        """Raise Refusal if the function's signature does not take these arguments, else return."""
        from inspect import signature

        try:
            bind = signature(self.function).bind
        except (TypeError, ValueError):
            return
        try:
            bind(*positional, **named)
        except TypeError as misfit:
            refusal = Refusal(INVALID_ARGUMENTS, "%s: %s" % (self.name, misfit))
            refusal.data = _misfit_data(misfit)
            raise refusal from error

    def _split(self, arguments, context):
        kind = type(arguments)
        if kind is dict:
            positional, named = (), arguments
        elif kind is list:
            positional, named = arguments, {}
        else:
            positional, named = (() if arguments is None else (arguments,)), {}
        if self._context_name is None:
            return positional, named
        if self._context_name in named:
            raise Refusal(INVALID_ARGUMENTS, "%s: %r is reserved for the context" % (self.name, self._context_name))
        if len(positional) > self._context_index:
            return (*positional[: self._context_index], context, *positional[self._context_index :]), named
        return positional, {**named, self._context_name: context}


def _misfit_data(misfit):
    """Where the misfit is, if what `inspect` says of it names a parameter, in quotes."""
    name = str(misfit).partition("'")[2].partition("'")[0]
    return {"path": "args.%s" % name} if name.isidentifier() else None


def _context_parameter(function):
    """Name and position of the parameter named `ctx` or annotated Context, else (None, 0)."""
    names, count = _parameter_names(function)
    annotations = getattr(_unwrap(function), "__annotations__", {})
    for index, name in enumerate(names):
        if name == "ctx" or _is_context(annotations.get(name)):
            return name, index if index < count else len(names) + 255
    return None, 0


def _view_parameters(function):
    """Names of the parameters that are annotated memoryview."""
    annotations = getattr(_unwrap(function), "__annotations__", {})
    return frozenset(name for name in _parameter_names(function)[0] if annotations.get(name) in (memoryview, "memoryview"))


def _parameter_names(function):
    """All named parameters but `self`, and how many of them can be positional."""
    inner = _unwrap(function)
    code = getattr(getattr(inner, "__func__", inner), "__code__", None)
    if code is None:
        return (), 0
    count = code.co_argcount
    names = code.co_varnames[: count + code.co_kwonlyargcount]
    return (names[1:], count - 1) if hasattr(inner, "__self__") else (names, count)


def _is_context(annotation):
    if isinstance(annotation, str):
        return annotation.strip("'\"").rpartition(".")[2] == "Context"
    return getattr(annotation, "__name__", None) == "Context" and annotation.__module__ == "snakepit_bridge.context"


def _unwrap(function):
    """The innermost function below decorators made with functools.wraps."""
    seen = 0
    while hasattr(function, "__wrapped__") and seen < 100:
        function = function.__wrapped__
        seen += 1
    return function


def _summary(function):
    """The first line of the docstring, or None."""
    doc = getattr(function, "__doc__", None)
    return doc.strip().partition("\n")[0].strip() or None if isinstance(doc, str) else None


def _refuse_shadowed(function, name):
    """A second command of the same name in one file would silently replace the first: refuse it."""
    previous = getattr(function, "__globals__", {}).get(getattr(function, "__name__", None))
    if previous is None or previous is function or marked_name(previous) != name:
        return
    before, now = getattr(_unwrap(previous), "__code__", None), getattr(_unwrap(function), "__code__", None)
    is_reloaded = before and now and (before.co_filename, before.co_firstlineno) == (now.co_filename, now.co_firstlineno)
    if not is_reloaded:
        raise StartupError("two commands named %r: %s and %s; rename one" % (name, describe(previous), describe(function)))
