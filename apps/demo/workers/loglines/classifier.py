"""Level and category of a log line.

Level: what the format says; else the first level word in capitals or before a colon; else `error`
for a line that reads like an exception, else `info`.

Category, the first rule that fits:

| category  | rule |
|-----------|------|
| exception | a line of a traceback, a Java stack frame, a panic |
| http      | an access log line, or a method with a path, or "HTTP/1.1" |
| auth      | login, password, token, unauthorized, forbidden, permission denied, sudo ... |
| database  | sql, query, deadlock, transaction, postgres, mysql, sqlite, mongo, redis ... |
| network   | connection refused or reset, timeout, dns, socket, unreachable |
| system    | out of memory, disk, cpu, kernel, started, stopped, shutdown, listening |
| other     | everything else |
"""

import re

from .formats import LEVELS, parse_line

MAX_MESSAGE_CHARS = 2000
_MAX_SEARCHED_CHARS = 4000

_LEVEL_WORD = re.compile(
    r"\b(?:%s)\b|\b(?i:%s)(?=:)|\[(?i:%s)\]"
    % ((("|".join(word.upper() for word in LEVELS)),) + ("|".join(LEVELS),) * 2)
)
_EXCEPTION = re.compile(
    r"Traceback \(most recent call last\)|^\s+File \".+\", line \d+|"
    r"^(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Interrupt|Warning)(?::|$)|"
    r"^\s+at [\w.$<>]+\(.*\)|\bpanic: |\b[Uu]nhandled (?:exception|rejection)"
)
_RULES = (
    ("http", re.compile(r"\b(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) /|\bHTTP/\d")),
    (
        "auth",
        re.compile(
            r"\b(?:log(?:ged|ging)? ?(?:in|out)|sign(?:ed)? ?(?:in|out)|auth\w*|password|passwd|"
            r"token|credentials?|unauthori[sz]ed|forbidden|permission denied|access denied|"
            r"session (?:opened|closed)|sudo|sshd|invalid user)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "database",
        re.compile(
            r"\b(?:sql\w*|quer(?:y|ies)|database|db|deadlock|transactions?|rollback|postgres\w*|"
            r"mysql\w*|mariadb|sqlite\w*|mongo\w*|redis|table|constraint)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "network",
        re.compile(
            r"\b(?:connection (?:refused|reset|closed|timed out)|time[d ]?-?out|dns|sockets?|"
            r"unreachable|broken pipe|handshake|tls|ssl)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "system",
        re.compile(
            r"\b(?:out of memory|oom|disk|cpu|kernel|systemd|start(?:ed|ing|up)|stopp(?:ed|ing)|"
            r"shut(?:ting)? ?down|restart\w*|listening|serving|signal|killed)\b",
            re.IGNORECASE,
        ),
    ),
)


class LineClassifier:
    """Classifies lines in order: source lines within a Python traceback belong to it."""

    def __init__(self):
        self._is_in_traceback = False

    def classify(self, text):
        item = classify(text)
        if self._is_in_traceback and text[:1] in (" ", "\t"):
            item["level"], item["category"] = "error", "exception"
        else:
            self._is_in_traceback = text.startswith("Traceback (most recent call last)")
        return item


def classify(text):
    """`{level, category, timestamp, message, format, ...}` of one line by itself."""
    parsed = parse_line(text)
    searched = text[:_MAX_SEARCHED_CHARS]
    is_exception = bool(_EXCEPTION.search(searched))
    if parsed["level"] is None:
        parsed["level"] = _level_in(parsed["message"][:_MAX_SEARCHED_CHARS], is_exception)
    parsed["category"] = _category(parsed, searched, is_exception)
    message = parsed["message"]
    if len(message) > MAX_MESSAGE_CHARS:
        parsed["message"] = message[:MAX_MESSAGE_CHARS]
        parsed["message_is_cut"] = True
    return parsed


def _level_in(message, is_exception):
    match = _LEVEL_WORD.search(message)
    if match:
        return LEVELS[match.group().strip("[]").lower()]
    return "error" if is_exception else "info"


def _category(parsed, searched, is_exception):
    if parsed["format"] == "access":
        return "http"
    if is_exception:
        return "exception"
    for category, rule in _RULES:
        if rule.search(searched):
            return category
    return "other"
