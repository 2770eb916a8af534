"""Every command of the demo's Python pool.

The bridge registers each command function it finds in this module, imported ones too.
"""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
if _HERE not in sys.path:
    sys.path.insert(0, _HERE)

from basics import (  # noqa: E402
    compute,
    counter,
    delete_program,
    echo,
    info,
    list_programs,
    ping,
    ping_stream,
    random,
    run_program,
    store_program,
)
from csv_profile import csv_profile  # noqa: E402
from digit_recognition import (  # noqa: E402
    batch_inference,
    classify_digits,
    digits_info,
    digits_sample,
    recognize_digit,
)
from digit_training import (  # noqa: E402
    distributed_training,
    train_average,
    train_evaluate,
    train_init,
    train_shard,
)
from file_transfer import (  # noqa: E402
    filter_upload,
    gzip_upload,
    summarize_upload,
)
from flight_route import flight_route  # noqa: E402
from large_dataset import process_large_dataset  # noqa: E402
from log_tail import tail_and_analyze  # noqa: E402
from pseudonyms import pseudonymize  # noqa: E402
from weather_extremes import weather_extremes  # noqa: E402

__all__ = [
    "batch_inference",
    "classify_digits",
    "compute",
    "counter",
    "csv_profile",
    "delete_program",
    "digits_info",
    "digits_sample",
    "distributed_training",
    "echo",
    "filter_upload",
    "flight_route",
    "gzip_upload",
    "info",
    "list_programs",
    "ping",
    "ping_stream",
    "process_large_dataset",
    "pseudonymize",
    "random",
    "recognize_digit",
    "run_program",
    "store_program",
    "summarize_upload",
    "tail_and_analyze",
    "train_average",
    "train_evaluate",
    "train_init",
    "train_shard",
    "weather_extremes",
]
