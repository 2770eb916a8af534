"""Everyday commands: liveness, arithmetic, facts, randomness, and state kept in a session."""

import math
import random as random_module
import time
from typing import Any, Optional

from snakepit_bridge import Context, command

from process_facts import facts
from programs.expression import compile_expression, evaluate

MAX_RANDOM = 100_000
MAX_PINGS = 1_000_000
_POLL_SECONDS = 0.02

_served = {"calls": 0}


def _serve():
    _served["calls"] += 1


@command
def ping() -> dict[str, Any]:
    _serve()
    return {"pong": True, "time_ms": round(time.time() * 1000)}


@command
def echo(value: Any = None) -> Any:
    _serve()
    return value


@command
def compute(operation: str, a: float, b: float = 0) -> float:
    """add, subtract, multiply, divide or raise (power) two numbers, or take the sqrt of one."""
    _serve()
    for name, number in (("a", a), ("b", b)):
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise ValueError("%s must be a number, got %s" % (name, type(number).__name__))
    try:
        result = _calculate(operation, a, b)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise ValueError("the result of %s is no finite number" % operation)
    # As Node computes: beyond 53 bits in floating point.
    return result if abs(result) <= 1 << 53 else float(result)


@command
def info() -> dict[str, Any]:
    """Interpreter, platform and process; `calls_served` counts this module's commands."""
    _serve()
    return dict(facts(), calls_served=_served["calls"])


@command
def random(n: int = 1, seed: Optional[int] = None) -> list[float]:
    """`n` numbers from [0, 1); the same seed gives the same numbers."""
    _serve()
    _require_integer("n", n, 1, MAX_RANDOM)
    draw = random_module.Random(seed).random
    return [draw() for _ in range(n)]


@command
def ping_stream(ctx: Context, count: int = 10, interval_ms: float = 100):
    """Streams `count` pings, `interval_ms` apart; stops within 20 ms of cancellation."""
    _serve()
    _require_integer("count", count, 1, MAX_PINGS)
    if isinstance(interval_ms, bool) or not isinstance(interval_ms, (int, float)):
        raise ValueError("interval_ms must be a number")
    if not 0 <= interval_ms <= 60_000:
        raise ValueError("interval_ms must be between 0 and 60000, got %r" % interval_ms)
    started = time.monotonic()
    for index in range(count):
        if not _sleep_until(started + index * interval_ms / 1000, ctx):
            return
        yield {"index": index, "count": count, "time_ms": round(time.time() * 1000)}


@command
def counter(name: str, ctx: Context, by: float = 1) -> dict[str, Any]:
    """Adds `by` to a counter of the session, atomically, and returns its new value."""
    _serve()
    session = _require_session(ctx)
    key = "counter:%s" % _require_name(name)
    if isinstance(by, bool) or not isinstance(by, (int, float)):
        raise ValueError("by must be a number, got %s" % type(by).__name__)
    value = session.update(key, lambda current: current + by, 0)
    return {"name": name, "value": value}


@command
def store_program(name: str, source: str, ctx: Context) -> dict[str, Any]:
    """Keeps an arithmetic expression under a name; see programs/expression.py."""
    _serve()
    session = _require_session(ctx)
    compile_expression(source)
    session.programs.set(_require_name(name), source)
    return {"name": name, "source": source}


@command
def run_program(name: str, ctx: Context, args: Optional[dict[str, Any]] = None) -> dict[str, Any]:
    _serve()
    session = _require_session(ctx)
    source = session.programs.get(_require_name(name))
    if source is None:
        raise ValueError("no program %r in this session; store it with store_program" % name)
    return {"name": name, "source": source, "value": _portable(evaluate(source, args or {}))}


@command
def list_programs(ctx: Context) -> dict[str, Any]:
    _serve()
    return {"programs": sorted(_require_session(ctx).programs.keys())}


@command
def delete_program(name: str, ctx: Context) -> dict[str, Any]:
    _serve()
    programs = _require_session(ctx).programs
    existed = programs.get(_require_name(name)) is not None
    if existed:
        programs.delete(name)
    return {"name": name, "deleted": existed}


def _calculate(operation, a, b):
    if operation == "add":
        return a + b
    if operation == "subtract":
        return a - b
    if operation == "multiply":
        return a * b
    if operation == "divide":
        if b == 0:
            raise ValueError("division by zero: b must not be 0")
        return a / b
    if operation == "power":
        return _power(a, b)
    if operation == "sqrt":
        if a < 0:
            raise ValueError("square root of a negative number: a must not be below 0")
        return math.sqrt(a)
    raise ValueError(
        "operation must be one of add, subtract, multiply, divide, power, sqrt, got %r"
        % (operation,)
    )


def _power(a, b):
    """In floating point: an exact power of integers may take hours and all memory."""
    if a == 0 and b < 0:
        raise ValueError("division by zero: 0 has no negative powers")
    if a < 0 and b != int(b):
        raise ValueError("a negative number has no real power %r" % b)
    power = math.pow(a, b)
    is_exact = isinstance(a, int) and isinstance(b, int) and abs(power) < 1 << 53
    return int(power) if is_exact and power == int(power) else power


def _portable(value):
    """Integers beyond 64 bits leave as text: no wire format carries them as numbers."""
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        return str(value)
    return value


def _sleep_until(moment, ctx):
    """False when the call was cancelled while waiting."""
    while True:
        if ctx.cancelled:
            return False
        left = moment - time.monotonic()
        if left <= 0:
            return True
        time.sleep(min(left, _POLL_SECONDS))


def _require_session(ctx):
    if ctx.session is None:
        raise ValueError("this command keeps its state in a session: call it with a session id")
    return ctx.session


def _require_name(name):
    if not isinstance(name, str) or not 1 <= len(name) <= 100:
        raise ValueError("name must be a string of 1 to 100 characters")
    return name


def _require_integer(name, value, low, high):
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(
            "%s must be an integer between %d and %d, got %r" % (name, low, high, value)
        )
