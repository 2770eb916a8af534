"""What the enhanced commands refuse, and how it is told to the host."""

from ..errors import INVALID_ARGUMENTS, INVALID_RESULT, Refusal, SnakepitError

NOT_ALLOWED = "not-allowed"
UNKNOWN_ATTRIBUTE = "unknown-attribute"
UNKNOWN_OBJECT = "unknown-object"
DELETED_OBJECT = "deleted-object"
QUOTA = "quota"
BAD_ARGUMENT = "bad-argument"
NO_SESSION = "no-session"


def refusal(reason, message, **data):
    """A refusal of a call that has not begun; `reason` and `data` reach the host as the error's data."""
    failure = Refusal(INVALID_ARGUMENTS, message)
    failure.data = {"reason": reason, **data}
    return failure


def unsendable(message):
    """A refusal of a result."""
    return Refusal(INVALID_RESULT, message)


class Forbidden(SnakepitError):
    """A call tried what the worker's settings do not permit, such as writing a file."""

    def __init__(self, message, **data):
        super().__init__(message)
        self.data = {"reason": "forbidden", **data}


class StoreFull(SnakepitError):
    """What a call returned does not fit into its session's quota; it was dropped."""

    def __init__(self, message, **data):
        super().__init__(message)
        self.data = {"reason": QUOTA, **data}


class StepFailed(SnakepitError):
    """A step of a pipeline failed; those before it have run."""

    def __init__(self, text, **data):
        super().__init__(text)
        self.data = {"reason": "step-failed", **data}
