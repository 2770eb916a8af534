"""Calls one after the other in one go."""

from ..errors import Cancelled, Refusal
from .failures import BAD_ARGUMENT, StepFailed, refusal

_MAX_STEPS = 100
_MEMBERS = frozenset(("name", "target", "args", "kwargs", "store_as"))


def run_pipeline(caller, steps):
    """Run the steps, and answer with what was stored on the way, and the last one's value unless it was stored.

    Raises Refusal for steps that cannot be right, before any runs, and StepFailed for one that fails.
    """
    _check(caller, steps)
    stored, value = [], None
    for at, step in enumerate(steps):
        try:
            value = caller.invoke(step["target"], step.get("args"), step.get("kwargs"))
            if step.get("store_as") is not None:
                stored.append(caller.put(step["store_as"], value)["stored"])
        except Cancelled:
            raise
        except Exception as error:
            raise _failed(at, step, error) from error
    is_stored = steps[-1].get("store_as") is not None
    return {"stored": stored, **({} if is_stored else {"value": caller.encode(value)})}


def _failed(at, step, error):
    name = step.get("name")
    label = "step %d (%s%s)" % (at + 1, "'%s': " % name if name else "", _path(step["target"]))
    data = {
        "step": at + 1,
        "name": name,
        "target": _path(step["target"]),
        "type": type(error).__name__,
        "message": str(error)[:2000],
    }
    if isinstance(error, Refusal):
        data["data"] = error.data
        return StepFailed("%s was refused: %s" % (label, error), **data)
    return StepFailed("%s raised %s: %s" % (label, type(error).__name__, error), **data)


def _check(caller, steps):
    if not isinstance(steps, list) or not 0 < len(steps) <= _MAX_STEPS:
        raise refusal(BAD_ARGUMENT, "a pipeline is a list of 1 to %d steps" % _MAX_STEPS)
    for at, step in enumerate(steps):
        if not isinstance(step, dict) or set(step) - _MEMBERS or not isinstance(step.get("target"), (str, dict)):
            raise refusal(
                BAD_ARGUMENT,
                "step %d of the pipeline has to have a target, and may have name, args, kwargs and store_as" % (at + 1),
                step=at + 1,
            )
        caller.check_store_as(step.get("store_as"))


def _path(target):
    return target if isinstance(target, str) else target.get("@ref")
