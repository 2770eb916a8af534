"""Which call the current task, or a thread that has taken over its context, works for."""

from contextvars import ContextVar

current_call = ContextVar("snakepit_call", default=0)
