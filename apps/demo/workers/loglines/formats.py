"""The log formats that are understood; each parser returns a dict or None.

A dict has `timestamp` (as written, or None), `level` (or None when the format names none),
`message`, and what else the format tells: `logger`, `status`, `method`, `url`, `client`, `host`,
`process`.
"""

import json
import re

LEVELS = {
    "trace": "debug", "debug": "debug", "fine": "debug", "verbose": "debug",
    "info": "info", "notice": "info", "information": "info", "log": "info",
    "warn": "warning", "warning": "warning",
    "err": "error", "error": "error", "severe": "error",
    "crit": "critical", "critical": "critical", "fatal": "critical", "alert": "critical",
    "emerg": "critical", "emergency": "critical", "panic": "critical",
}  # fmt: skip

_WORDS = "|".join(sorted(LEVELS, key=len, reverse=True))
_ISO = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"

_ACCESS = re.compile(
    r"(?P<client>\S+) \S+ \S+ \[(?P<timestamp>[^\]]{1,40})\] "
    r'"(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) (?P<size>\d+|-)'
    r'(?: "(?P<referrer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)")?'
)
_REQUEST = re.compile(r"(?P<method>[A-Z]+) (?P<url>\S+)")
# 2026-01-02 10:00:00,123 ERROR shop.orders: text, the order logging is mostly configured in
_PYTHON = re.compile(
    r"(?P<timestamp>%s)\s+(?:-\s+)?\[?(?P<level>(?i:%s))\]?\s+(?:-\s+)?"
    r"(?:(?P<logger>[\w.]+)(?::| -)\s+)?(?P<message>.*)" % (_ISO, _WORDS),
    re.DOTALL,
)
# logging with the logger before the level: "time - name - LEVEL - text"
_PYTHON_NAMED = re.compile(
    r"(?P<timestamp>%s)\s+-\s+(?P<logger>[\w.]+)\s+-\s+(?P<level>(?i:%s))\s+-\s+(?P<message>.*)"
    % (_ISO, _WORDS),
    re.DOTALL,
)
# logging.basicConfig's own: LEVEL:name:text
_PYTHON_BASIC = re.compile(
    r"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL):(?P<logger>[\w.]+):(?P<message>.*)", re.DOTALL
)
_SYSLOG = re.compile(
    r"(?:<(?P<priority>\d{1,3})>)?"
    r"(?P<timestamp>(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d) "
    r"(?P<host>\S+) (?P<process>[^\s:\[]+)(?:\[\d+\])?: (?P<message>.*)",
    re.DOTALL,
)
_ISO_LINE = re.compile(r"\[?(?P<timestamp>%s)\]?\s+(?P<message>.*)" % _ISO, re.DOTALL)
_SYSLOG_SEVERITIES = (
    "critical", "critical", "critical", "error", "warning", "info", "info", "debug",
)  # fmt: skip

_JSON_LEVEL = ("level", "levelname", "severity", "lvl", "log.level")
_JSON_TIME = ("timestamp", "time", "@timestamp", "ts", "asctime", "date")
_JSON_MESSAGE = ("message", "msg", "event", "text")
# pino and bunyan write levels as numbers
_NUMBER_LEVELS = ((60, "critical"), (50, "error"), (40, "warning"), (30, "info"), (0, "debug"))


def parse_line(text):
    """The first format that fits, named in `format`; `plain` when none does."""
    for name, parse in _PARSERS:
        parsed = parse(text)
        if parsed is not None:
            parsed["format"] = name
            return parsed
    return {"format": "plain", "timestamp": None, "level": None, "message": text}


def parse_json(text):
    if not text.startswith("{"):
        return None
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    message = _first(record, _JSON_MESSAGE)
    timestamp = _first(record, _JSON_TIME)
    return {
        "timestamp": None if timestamp is None else str(timestamp),
        "level": _json_level(_first(record, _JSON_LEVEL)),
        "message": text if message is None else str(message),
    }


def parse_access(text):
    match = _ACCESS.match(text)
    if match is None:
        return None
    status = int(match["status"])
    parsed = {
        "timestamp": match["timestamp"],
        "level": "error" if status >= 500 else "warning" if status >= 400 else "info",
        "message": "%s %d" % (match["request"], status),
        "client": match["client"],
        "status": status,
    }
    request = _REQUEST.match(match["request"])
    if request:
        parsed["method"], parsed["url"] = request["method"], request["url"]
    return parsed


def parse_python(text):
    match = _PYTHON_NAMED.match(text) or _PYTHON.match(text) or _PYTHON_BASIC.match(text)
    if match is None:
        return None
    found = match.groupdict()
    return {
        "timestamp": found.get("timestamp"),
        "level": LEVELS[found["level"].lower()],
        "logger": found["logger"],
        "message": found["message"],
    }


def parse_syslog(text):
    match = _SYSLOG.match(text)
    if match is None:
        return None
    level = None
    if match["priority"] is not None:
        level = _SYSLOG_SEVERITIES[int(match["priority"]) % 8]
    return {
        "timestamp": match["timestamp"],
        "level": level,
        "host": match["host"],
        "process": match["process"],
        "message": match["message"],
    }


def parse_iso(text):
    match = _ISO_LINE.match(text)
    if match is None:
        return None
    return {"timestamp": match["timestamp"], "level": None, "message": match["message"]}


def _first(record, keys):
    for key in keys:
        if record.get(key) is not None:
            return record[key]
    return None


def _json_level(value):
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return next((name for least, name in _NUMBER_LEVELS if value >= least), None)
    return LEVELS.get(str(value).lower())


_PARSERS = (
    ("json", parse_json),
    ("access", parse_access),
    ("python", parse_python),
    ("syslog", parse_syslog),
    ("iso", parse_iso),
)
