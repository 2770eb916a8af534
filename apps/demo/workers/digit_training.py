"""Commands for data-parallel training, coordinated by the host over several workers.

One round: `train_shard` on every worker from the same weights, `train_average` over what they
return, `train_evaluate` of the mean. Weights are float32 bytes; see digits/packing.py.
"""

from typing import Any

from snakepit_bridge import command

from digits import parallel


@command
def train_init(seed: int = 7, hidden: int = 32) -> bytes:
    return parallel.initial_weights(seed, hidden)


@command
def train_shard(
    weights: bytes,
    shard_index: int,
    shard_count: int,
    epoch: int,
    learning_rate: float = 0.08,
    seed: int = 7,
    hidden: int = 32,
) -> dict[str, Any]:
    """One epoch over one shard of the training split: `{weights, loss, samples}`."""
    return parallel.train_on_shard(
        weights, shard_index, shard_count, epoch, learning_rate, seed, hidden
    )


@command
def train_average(shards: list[dict[str, Any]]) -> dict[str, Any]:
    """The mean of the shards' weights, weighted by samples: `{weights, loss, samples}`."""
    return parallel.average(shards)


@command
def train_evaluate(weights: bytes, hidden: int = 32) -> dict[str, Any]:
    """`{accuracy, loss, samples}` on the held-out split."""
    return parallel.evaluate(weights, hidden)
