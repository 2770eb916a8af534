"""Batches: commands that take what several callers sent at once."""

from .errors import StartupError

_MARK = "__snakepit_batch__"
_MAX_SIZE = 10000
_MAX_WAIT_MS = 60000


def batch(function=None, *, max_size=None, max_wait_ms=None, adaptive=None):
    """Mark a function as one that takes a list with the arguments of several calls, and returns a list with a result for each.

    An entry of that list may be an exception: it goes to that one caller. `max_size` is the most calls at once, `max_wait_ms` how
    long some may wait for more, `adaptive=False` that they do so even where no other batch runs; what is left out is for the
    host to say. Raises StartupError for values that are not allowed.
    """
    if function is None:
        return lambda marked: batch(marked, max_size=max_size, max_wait_ms=max_wait_ms, adaptive=adaptive)
    settings = {}
    if max_size is not None:
        settings["maxSize"] = _checked("max_size", max_size, 1, _MAX_SIZE)
    if max_wait_ms is not None:
        settings["maxWaitMs"] = _checked("max_wait_ms", max_wait_ms, 0, _MAX_WAIT_MS)
    if adaptive is not None:
        if type(adaptive) is not bool:
            raise StartupError("@batch: adaptive is %r; allowed is True or False" % (adaptive,))
        settings["adaptive"] = adaptive
    try:
        setattr(function, _MARK, settings)
    except AttributeError:
        raise StartupError("@batch cannot mark %r; wrap it in a function" % (function,)) from None
    return function


def batch_settings(candidate):
    """What `@batch` was told, as the manifest carries it; None where the object is not marked."""
    if not callable(candidate) or isinstance(candidate, type):
        return None
    settings = getattr(candidate, _MARK, None)
    return settings if type(settings) is dict else None


class BatchAnswer:
    """What a handler made of a batch: `results`, one for each call, and `errors`, as `[index, exception]`."""

    __slots__ = ("results", "errors")

    def __init__(self, results, errors):
        self.results = results
        self.errors = errors

    def encode(self, encoder, in_arena):
        """Encode it as `(flags, bytes)`. A result that cannot be sent becomes the error of its own call."""
        from .batch_call import encode_answer

        return encode_answer(self, encoder, in_arena)


def _checked(name, value, least, most):
    if type(value) is not int or not least <= value <= most:
        raise StartupError("@batch: %s is %r; allowed is an int from %d to %d" % (name, value, least, most))
    return value
