"""What a CSV field is: empty, integer, float, boolean, date, datetime or string.

`kind_of` decides for one text. `parse_*_batch` decide for a whole batch at C speed, or return
None when the batch is not uniform and the caller must go value by value.
"""

import math
import re
from datetime import date, datetime, timezone

EMPTY, INTEGER, FLOAT, BOOLEAN = "empty", "integer", "float", "boolean"
DATE, DATETIME, STRING, MIXED = "date", "datetime", "string", "mixed"

# Fields that count as null. A column that means Namibia by "NA" loses it here.
NULL_TOKENS = frozenset(
    ["", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "Null", "None", "\\N"]
)
BOOLEAN_WORDS = frozenset(
    form
    for word in ("true", "false", "yes", "no")
    for form in (word, word.upper(), word.capitalize())
)

# First characters of every value that is neither string nor boolean.
TYPED_LEADS = frozenset(" \t0123456789+-.")

_INTEGER = re.compile(r"[+-]?[0-9]+")
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DATE = re.compile(r"([0-9]{4})([-/])([0-9]{2})\2([0-9]{2})")
_DATETIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2})"
    r"(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?(?:(Z)|([+-])([0-9]{2}):?([0-9]{2}))?"
)

_INTEGER_BYTES = b"0123456789+- "
_FLOAT_BYTES = b"0123456789+-.eE "
_DATE_BYTES = b"0123456789-"
_DATETIME_BYTES = b"0123456789-:T "
# More digits are not exact as a double.
EXACT_DIGITS = 15
_MAX_NUMBER_CHARS = 300


def is_null(text):
    return text in NULL_TOKENS or not text.strip()


def kind_of(text):
    return typed(text)[0]


def typed(text):
    """`(kind, value)`; the value is a number for numbers and comparable for dates."""
    if is_null(text):
        return EMPTY, None
    if text in BOOLEAN_WORDS:
        return BOOLEAN, text
    if text[0] not in TYPED_LEADS:
        return STRING, text
    return _typed_by_pattern(text.strip(" \t")) or (STRING, text)


def _typed_by_pattern(text):
    if len(text) <= _MAX_NUMBER_CHARS:
        if _INTEGER.fullmatch(text):
            return INTEGER, int(text)
        if _FLOAT.fullmatch(text):
            number = float(text)
            return (FLOAT, number) if math.isfinite(number) else None
    try:
        match = _DATE.fullmatch(text)
        if match:
            return DATE, date(int(match[1]), int(match[3]), int(match[4]))
        match = _DATETIME.fullmatch(text)
        if match:
            return DATETIME, _datetime_of(match)
    except ValueError:  # a 31st of February is a string
        pass
    return None


def _datetime_of(match):
    """Aware values are compared in UTC; naive ones are taken as UTC."""
    micros = ((match[7] or "") + "000000")[:6]
    moment = datetime(
        int(match[1]),
        int(match[2]),
        int(match[3]),
        int(match[4]),
        int(match[5]),
        int(match[6] or 0),
        int(micros),
    )
    if match[9]:
        minutes = int(match[10]) * 60 + int(match[11])
        shift = -minutes if match[9] == "+" else minutes
        try:
            moment = datetime.fromtimestamp(
                moment.replace(tzinfo=timezone.utc).timestamp() + shift * 60, timezone.utc
            ).replace(tzinfo=None)
        except (OverflowError, OSError):
            raise ValueError("date out of range") from None
    return moment


def parse_integer_batch(values, ascii_text, longest):
    """Integers of the batch as `(floats, min, max)`, or None."""
    if ascii_text.translate(None, _INTEGER_BYTES):
        return None
    try:
        if longest <= EXACT_DIGITS:
            # float() accepts what int() does here and is what the sketches need.
            floats = list(map(float, values))
            return floats, int(min(floats)), int(max(floats))
        if longest > _MAX_NUMBER_CHARS:
            return None
        integers = list(map(int, values))
        return list(map(float, integers)), min(integers), max(integers)
    except ValueError:
        return None


def parse_float_batch(values, ascii_text, longest):
    """Floats of the batch, or None. The caller counts which of them look like integers."""
    if longest > _MAX_NUMBER_CHARS or ascii_text.translate(None, _FLOAT_BYTES):
        return None
    try:
        floats = list(map(float, values))
    except ValueError:
        return None
    if math.inf in floats or -math.inf in floats:
        return None
    return floats


def parse_date_batch(values, ascii_text, longest):
    if longest != 10 or len(ascii_text) != 10 * len(values):
        return None
    if ascii_text.translate(None, _DATE_BYTES):
        return None
    try:
        return list(map(date.fromisoformat, values))
    except ValueError:
        return None


def parse_datetime_batch(values, ascii_text, longest):
    if longest != 19 or len(ascii_text) != 19 * len(values):
        return None
    if ascii_text.translate(None, _DATETIME_BYTES):
        return None
    try:
        return list(map(datetime.fromisoformat, values))
    except ValueError:
        return None
