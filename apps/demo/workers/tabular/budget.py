"""How much memory the columns of a table may take, shared among them.

Up to 16 columns each have summaries of full size. A wider table has smaller ones, whose larger
errors are reported with the results, down to a floor of about 50 KB a column.
"""

from typing import NamedTuple

from .distinct_count import K
from .heavy_hitters import CAPACITY
from .quantiles import LEVEL_CAPACITY

_FULL_COLUMNS = 16


class ColumnBudget(NamedTuple):
    exact_values: int = 4096
    exact_chars: int = 1_000_000
    distinct_hashes: int = K
    frequent_values: int = CAPACITY
    quantile_values: int = LEVEL_CAPACITY


FULL = ColumnBudget()


def budget_for(columns):
    """The budget of one column in a table of so many."""
    share = min(1.0, _FULL_COLUMNS / columns)
    return ColumnBudget(
        exact_values=max(64, int(FULL.exact_values * share)),
        exact_chars=max(8192, int(FULL.exact_chars * share)),
        distinct_hashes=max(128, int(FULL.distinct_hashes * share)),
        frequent_values=max(32, int(FULL.frequent_values * share)),
        quantile_values=max(256, int(FULL.quantile_values * share)),
    )
