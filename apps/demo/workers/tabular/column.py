"""Everything known about one column, in two phases.

exact     value -> count, while there are few different values: every figure is exact
   | more different values or more characters than the budget has
   v
sketched  summaries of bounded size, fed batch by batch
"""

from collections import Counter

from .budget import FULL
from .distinct_count import DistinctSketch
from .heavy_hitters import HeavyHitters, abbreviate
from .moments import Moments
from .quantiles import QuantileSketch, exact_quantiles
from .value_kinds import (
    BOOLEAN,
    BOOLEAN_WORDS,
    DATE,
    DATETIME,
    EMPTY,
    FLOAT,
    INTEGER,
    MIXED,
    NULL_TOKENS,
    STRING,
    TYPED_LEADS,
    parse_date_batch,
    parse_datetime_batch,
    parse_float_batch,
    parse_integer_batch,
    is_null,
    typed,
)

QUANTILES = (
    ("p01", 0.01), ("p05", 0.05), ("p25", 0.25), ("p50", 0.5),
    ("p75", 0.75), ("p95", 0.95), ("p99", 0.99),
)  # fmt: skip
_REPLAY_VALUES = 8192


class ColumnProfile:
    def __init__(self, name, budget=FULL, seed=0):
        self.name = name
        self._budget = budget
        self._counts = Counter()  # None once sketched
        self._counted_chars = 0
        self._counted_values = 0
        self._facts = _Facts()
        self._quantiles = QuantileSketch(seed, budget.quantile_values)
        self._distinct = DistinctSketch(budget.distinct_hashes)
        self._hitters = HeavyHitters(budget.frequent_values)

    def add_batch(self, values):
        if self._counts is None:
            self._add_to_sketches(values)
            return
        self._counts.update(values)
        if len(self._counts) != self._counted_values:
            self._counted_values = len(self._counts)
            self._counted_chars = sum(map(len, self._counts))
        budget = self._budget
        if self._counted_values > budget.exact_values or self._counted_chars > budget.exact_chars:
            self._spill()

    def result(self, top):
        is_exact = self._counts is not None
        if is_exact:
            ranked = self._absorb_counts()
        facts = self._facts
        result = {
            "name": self.name,
            "type": facts.type_name(),
            "types": {kind: count for kind, count in facts.kinds.items() if count},
            "count": facts.count,
            "nulls": facts.nulls,
            "distinct_is_estimate": not is_exact,
            "min_length": facts.min_length,
            "max_length": facts.max_length,
        }
        result.update(facts.range())
        if is_exact:
            fractions = [fraction for _, fraction in QUANTILES]
            quantiles = exact_quantiles(ranked, fractions)
            result["distinct"] = len(self._counts)
            frequent = sorted(self._counts.items(), key=lambda pair: (-pair[1], pair[0]))[:top]
        else:
            quantiles = self._quantiles.quantiles([fraction for _, fraction in QUANTILES])
            # An estimate may not exceed what was seen.
            result["distinct"] = min(self._distinct.estimate(), facts.count)
            result["distinct_relative_error"] = round(self._distinct.relative_standard_error, 4)
            frequent = self._hitters.top(top)
        result["top"] = [{"value": abbreviate(v), "count": c} for v, c in frequent]
        result["top_error"] = 0 if is_exact else self._hitters.error
        if facts.moments.count:
            result["mean"] = facts.moments.mean
            result["stddev"] = facts.moments.stddev
            result["quantiles"] = dict(zip((name for name, _ in QUANTILES), quantiles))
            result["quantile_rank_error"] = 0 if is_exact else self._quantiles.rank_error_bound
        return result

    def _absorb_counts(self):
        """Exact figures from the counts; returns the numbers as sorted (number, count) pairs."""
        null_values = [value for value in self._counts if is_null(value)]
        for value in null_values:
            self._facts.nulls += self._counts.pop(value)
        numbers = []
        self._facts.add_counts(self._counts, numbers)
        numbers.sort()
        return numbers

    def _spill(self):
        numbers = self._absorb_counts()
        self._distinct.add_batch(self._counts)
        self._hitters.add_counts(self._counts)
        self._counts = None
        for number, count in numbers:
            for start in range(0, count, _REPLAY_VALUES):
                self._quantiles.add_batch([number] * min(_REPLAY_VALUES, count - start))

    def _add_to_sketches(self, values):
        values = self._facts.without_nulls(values)
        if not values:
            return
        longest = max(map(len, values))
        self._distinct.add_batch(values)
        self._hitters.add_batch(values, longest)
        self._quantiles.add_batch(self._facts.add_batch(values, longest))


def _portable(number):
    """Integers beyond 64 bits leave as floats: not every peer can read them."""
    return number if -(1 << 63) <= number < 1 << 63 else float(number)


class _Facts:
    """Counts by kind, extremes and moments; cheap for batches of one kind."""

    def __init__(self):
        self.count = 0
        self.nulls = 0
        self.min_length = None
        self.max_length = None
        self.moments = Moments()
        self.kinds = dict.fromkeys((INTEGER, FLOAT, BOOLEAN, DATE, DATETIME, STRING), 0)
        self._extremes = {}  # group -> [low, high]
        self._last_parse = self._add_integers

    def without_nulls(self, values):
        if NULL_TOKENS.isdisjoint(values):
            return values
        present = [value for value in values if value not in NULL_TOKENS]
        self.nulls += len(values) - len(present)
        return present

    def add_batch(self, values, longest):
        """Takes non-null texts, returns the numbers among them."""
        joined = "".join(values)
        if joined.isascii() and longest:
            ascii_text = joined.encode("ascii")
            parsers = (self._add_integers, self._add_floats, self._add_dates, self._add_datetimes)
            for parse in (self._last_parse,) + parsers:
                numbers = parse(values, ascii_text, longest)
                if numbers is not None:
                    # Integers pass as floats too, so floats never become the favourite.
                    if parse != self._add_floats:
                        self._last_parse = parse
                    self._add_lengths(values, longest)
                    return numbers
        return self._add_one_by_one(values)

    def add_counts(self, counts, numbers):
        """Value by value with weights; appends `(number, count)` pairs to `numbers`."""
        floats, weights = [], []
        for value, count in counts.items():
            kind, parsed = typed(value)
            self.kinds[kind] += count
            self.count += count
            self._note(kind, parsed, value)
            if kind in (INTEGER, FLOAT):
                number = float(parsed)
                numbers.append((number, count))
                floats.append(number)
                weights.append(count)
        self.moments.add_weighted(floats, weights)
        if counts:
            self._note_lengths(min(map(len, counts)), max(map(len, counts)))

    def type_name(self):
        present = {kind for kind, count in self.kinds.items() if count}
        if not present:
            return EMPTY
        if len(present) == 1:
            return present.pop()
        for group, name in (
            ({INTEGER, FLOAT}, FLOAT),
            ({DATE, DATETIME}, DATETIME),
            ({BOOLEAN, STRING}, STRING),
        ):
            if present <= group:
                return name
        return MIXED

    def range(self):
        """min and max: of the numbers when there are any, else of dates, else of texts."""
        for group in ("number", "time", "text"):
            if group in self._extremes:
                low, high = self._extremes[group]
                if group == "time":
                    low, high = low[1], high[1]
                elif group == "text":
                    low, high = abbreviate(low), abbreviate(high)
                else:
                    low, high = _portable(low), _portable(high)
                return {"min": low, "max": high}
        return {"min": None, "max": None}

    def _add_integers(self, values, ascii_text, longest):
        parsed = parse_integer_batch(values, ascii_text, longest)
        if parsed is None:
            return None
        floats, low, high = parsed
        self._count(INTEGER, len(values))
        self._widen("number", low, high)
        self.moments.add_batch(floats)
        return floats

    def _add_floats(self, values, ascii_text, longest):
        floats = parse_float_batch(values, ascii_text, longest)
        if floats is None:
            return None
        marked = [1 for value in values if "." in value or "e" in value or "E" in value]
        self._count(FLOAT, len(marked))
        self._count(INTEGER, len(values) - len(marked))
        self._widen("number", min(floats), max(floats))
        self.moments.add_batch(floats)
        return floats

    def _add_dates(self, values, ascii_text, longest):
        return self._add_times(DATE, parse_date_batch(values, ascii_text, longest), values)

    def _add_datetimes(self, values, ascii_text, longest):
        parsed = parse_datetime_batch(values, ascii_text, longest)
        return self._add_times(DATETIME, parsed, values)

    def _add_times(self, kind, parsed, values):
        if parsed is None:
            return None
        self._count(kind, len(values))
        for moment in (min(parsed), max(parsed)):
            self._note(kind, moment, values[parsed.index(moment)])
        return []

    def _add_one_by_one(self, values):
        candidates = [value for value in values if value[0] in TYPED_LEADS]
        if len(candidates) < len(values):
            strings = [value for value in values if value[0] not in TYPED_LEADS]
            if not BOOLEAN_WORDS.isdisjoint(strings):
                booleans = [value for value in strings if value in BOOLEAN_WORDS]
                strings = [value for value in strings if value not in BOOLEAN_WORDS]
                self._add_texts(BOOLEAN, booleans)
            blank = [value for value in strings if value.isspace()]
            if blank:
                self.nulls += len(blank)
                strings = [value for value in strings if not value.isspace()]
            self._add_texts(STRING, strings)
        return self._add_candidates(candidates)

    def _add_candidates(self, values):
        numbers, lengths = [], []
        for value in values:
            kind, parsed = typed(value)
            if kind == EMPTY:
                self.nulls += 1
                continue
            self._count(kind, 1)
            self._note(kind, parsed, value)
            lengths.append(len(value))
            if kind in (INTEGER, FLOAT):
                numbers.append(float(parsed))
        self.moments.add_batch(numbers)
        if lengths:
            self._note_lengths(min(lengths), max(lengths))
        return numbers

    def _add_texts(self, kind, values):
        if not values:
            return
        self._count(kind, len(values))
        self._widen("text", min(values), max(values))
        self._add_lengths(values, max(map(len, values)))

    def _count(self, kind, count):
        self.kinds[kind] += count
        self.count += count

    def _add_lengths(self, values, longest):
        self._note_lengths(min(map(len, values)), longest)

    def _note_lengths(self, shortest, longest):
        self.min_length = shortest if self.min_length is None else min(self.min_length, shortest)
        self.max_length = longest if self.max_length is None else max(self.max_length, longest)

    def _note(self, kind, parsed, text):
        if kind in (INTEGER, FLOAT):
            self._widen("number", parsed, parsed)
        elif kind in (DATE, DATETIME):
            # A date compares with a datetime as its midnight; the text is what gets reported.
            key = (parsed.timetuple()[:6] + (getattr(parsed, "microsecond", 0),), text)
            self._widen("time", key, key)
        else:
            self._widen("text", text, text)

    def _widen(self, group, low, high):
        if group not in self._extremes:
            self._extremes[group] = [low, high]
            return
        extremes = self._extremes[group]
        if low < extremes[0]:
            extremes[0] = low
        if high > extremes[1]:
            extremes[1] = high
