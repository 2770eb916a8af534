"""Data-parallel training: shards of the training split, and the mean of what they learnt.

Each round every shard starts from the same weights, trains one epoch on its own items, and the
weights are averaged by the number of items (McMahan et al., Federated Averaging, 2017).
"""

from array import array

from .dataset import held_out_split, scaled, training_split
from .model import Network
from .packing import from_bytes, pack, require_hidden, to_bytes, unpack

_scaled = {}


def initial_weights(seed, hidden):
    return pack(Network.initial(_require_seed(seed), require_hidden(hidden)))


def train_on_shard(weights, shard_index, shard_count, epoch, learning_rate, seed, hidden):
    items = shard_of(_scaled_items("training"), shard_index, shard_count)
    if isinstance(learning_rate, bool) or not isinstance(learning_rate, (int, float)):
        raise ValueError("learning_rate must be a number")
    if not 0 < learning_rate <= 10:
        raise ValueError("learning_rate must be above 0 and at most 10, got %r" % learning_rate)
    network = unpack(weights, hidden)
    order_seed = "%d/%d/%d" % (_require_seed(seed), epoch, shard_index)
    loss = network.train_epoch(items, learning_rate, order_seed)
    return {"weights": pack(network), "loss": loss, "samples": len(items)}


def average(shards):
    """Weights averaged by samples, with the mean loss and the sum of samples."""
    if not isinstance(shards, (list, tuple)) or not shards:
        raise ValueError("shards must be a non-empty list of {weights, samples}")
    samples = [_require_samples(index, shard) for index, shard in enumerate(shards)]
    total = sum(samples)
    arrays = [from_bytes(shard["weights"]) for shard in shards]
    if len(set(map(len, arrays))) != 1:
        raise ValueError("the shards' weights differ in size: they come from different networks")
    shares = [count / total for count in samples]
    mean = array("f", [sum(w * s for w, s in zip(ws, shares)) for ws in zip(*arrays)])
    loss = sum(shard.get("loss", 0.0) * share for shard, share in zip(shards, shares))
    return {"weights": to_bytes(mean), "loss": loss, "samples": total}


def evaluate(weights, hidden):
    accuracy, loss = unpack(weights, hidden).evaluate(_scaled_items("held_out"))
    return {"accuracy": accuracy, "loss": loss, "samples": len(_scaled_items("held_out"))}


def shard_of(items, shard_index, shard_count):
    """Every `shard_count`-th item, so that shards have nearly the same size and mixture."""
    for name, value in (("shard_index", shard_index), ("shard_count", shard_count)):
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError("%s must be an integer, got %r" % (name, value))
    if not 1 <= shard_count <= len(items):
        raise ValueError("shard_count must be between 1 and %d, got %d" % (len(items), shard_count))
    if not 0 <= shard_index < shard_count:
        raise ValueError(
            "shard_index must be between 0 and %d, got %d" % (shard_count - 1, shard_index)
        )
    return items[shard_index::shard_count]


def _scaled_items(split):
    if split not in _scaled:
        items = training_split() if split == "training" else held_out_split()
        _scaled[split] = [(scaled(pixels), label) for pixels, label in items]
    return _scaled[split]


def _require_seed(seed):
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ValueError("seed must be an integer, got %r" % (seed,))
    return seed


def _require_samples(index, shard):
    samples = shard.get("samples") if isinstance(shard, dict) else None
    if isinstance(samples, bool) or not isinstance(samples, int) or samples < 1:
        raise ValueError("shard %d must have a positive number of samples" % index)
    if "weights" not in shard:
        raise ValueError("shard %d has no weights" % index)
    return samples
