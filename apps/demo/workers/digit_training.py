"""Commands for data-parallel training, coordinated by the host over several workers.

One round: `train_shard` on every worker from the same weights, `train_average` over what they
return, `train_evaluate` of the mean. Weights are float32 bytes; see digits/packing.py.
`distributed_training` is all of it as one stream, coordinated by a worker instead.
"""

import time
from typing import Any

from snakepit_bridge import Context, command

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


@command
async def distributed_training(
    ctx: Context, epochs: int = 12, hidden: int = 32, learning_rate: float = 0.08, seed: int = 7
):
    """One item an epoch. The shards are trained by all workers, this one too: the host's tool `train.shards` calls them."""
    weights = parallel.initial_weights(seed, hidden)
    for epoch in range(1, epochs + 1):
        started = time.perf_counter()
        shards = await ctx.tools.call(
            "train.shards",
            {"weights": weights, "epoch": epoch, "learningRate": learning_rate, "seed": seed, "hidden": hidden},
        )
        mean = parallel.average(shards)
        weights = mean["weights"]
        held_out = parallel.evaluate(weights, hidden)
        yield {
            "kind": "epoch",
            "epoch": epoch,
            "epochs": epochs,
            "shards": len(shards),
            "loss": mean["loss"],
            "held_out_accuracy": held_out["accuracy"],
            "held_out_loss": held_out["loss"],
            "elapsed_ms": round((time.perf_counter() - started) * 1000),
        }
