"""Callers without a control stream."""

from ..errors import HostError
from ..log_gate import LogGate
from ..metrics import Metrics
from ..process import complain


class Detached:
    """Stands where an attachment would, for one kind of caller: those who call from a shell, or the ancestor's hosts."""

    number = 0
    is_open = True
    has_control_stream = False

    def __init__(self, values, stream_credit, doorbell):
        self.calls = {}
        self.values = values
        self.stream_credit = stream_credit
        self.doorbell = doorbell
        self.host_calls = _NoHost
        self.hooks = _NoHooks
        self.metrics = Metrics(lambda entries, call: None)
        self.log_gate = LogGate(lambda level, message, *_: complain("%s: %s" % (level, message)))

    def notify(self, call, make, is_progress=False):
        """Log records are for whoever reads stderr; there is nobody for the rest."""
        log = make(0).log if not is_progress else None
        if log is not None and log.message:
            complain("%s: %s" % (log.level, log.message))

    def end_call(self, call, outcome):
        """Nothing is counted."""
        call.is_ended = True

    def release(self, call):
        """Forget a call; nobody waits for it."""
        self.forget(call)

    def part(self, call):
        """A call is being answered."""
        self.forget(call)

    def hold(self, call):
        """A call has come; it has no number that is its own."""
        self.calls[call] = call

    def forget(self, call):
        """The call is over."""
        self.calls.pop(call, None)

    def was_cancelled(self, number):
        """There is nobody who could have cancelled it."""
        return False


class _NoHost:
    @staticmethod
    def ask(call_number, method, args, on_answer, trace=None):
        raise HostError("INVALID_ARGUMENTS", "this call came without a control stream; there is no host to ask for %s" % method)


class _NoHooks:
    has_any = False

    @staticmethod
    def open(session_id, call_number):
        """Nobody would tell the end of such a session."""
