"""What plain values cannot say stands on the wire as a map with one key, which begins with an @."""

ESCAPED = "@esc"
REFERENCE = "@ref"
MAP = "@map"
SET = "@set"
TUPLE = "@tuple"
COMPLEX = "@complex"
DECIMAL = "@decimal"
INTEGER = "@int"
ARRAY = "@ndarray"
FRAME = "@dataframe"
SERIES = "@series"
OBJECT = "@object"


def looks_like_tag(value):
    """Tell whether a map could be taken for one of these, and so has to be escaped."""
    if len(value) != 1:
        return False
    (key,) = value
    return isinstance(key, str) and key.startswith("@")
