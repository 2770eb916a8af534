import math
import random
import unittest

import support
from digit_recognition import batch_inference, classify_digits, digits_info, digits_sample
from digit_training import train_average, train_evaluate, train_init, train_shard
from digits import shipped
from digits.dataset import held_out_split, scaled, training_split
from digits.model import Network, cross_entropy, softmax
from digits.packing import pack, unpack


class ShippedModelTest(unittest.TestCase):
    def test_held_out_accuracy_of_the_shipped_weights(self):
        network, facts = shipped.load()
        held_out = held_out_split()
        items = [(scaled(pixels), label) for pixels, label in held_out]
        accuracy, _ = network.evaluate(items)
        self.assertGreaterEqual(accuracy, 0.95)
        self.assertAlmostEqual(accuracy, facts["held_out_accuracy_at_training"], places=2)

    def test_the_split_is_fixed_and_disjoint(self):
        self.assertEqual((len(training_split()), len(held_out_split())), (1438, 359))

    def test_info_measures_the_accuracy(self):
        info = digits_info()
        self.assertEqual(info["layers"], [64, 32, 10])
        self.assertGreaterEqual(info["held_out_accuracy"], 0.95)


class ClassifyTest(unittest.TestCase):
    def test_one_item_per_image_mostly_right(self):
        sample = digits_sample(count=100, seed=3)
        items = list(classify_digits(sample["images"], support.FakeContext()))
        self.assertEqual([item["index"] for item in items], list(range(100)))
        right = sum(item["digit"] == label for item, label in zip(items, sample["labels"]))
        self.assertGreaterEqual(right, 90)
        for item in items:
            self.assertAlmostEqual(sum(item["probabilities"]), 1)
            self.assertEqual(item["confidence"], max(item["probabilities"]))

    def test_batches_hold_what_single_items_say(self):
        images = digits_sample(count=25, seed=1)["images"]
        single = list(classify_digits(images, support.FakeContext()))
        batches = list(batch_inference(images, support.FakeContext(), batch_size=10))
        self.assertEqual([len(batch["results"]) for batch in batches], [10, 10, 5])
        self.assertEqual([item for batch in batches for item in batch["results"]], single)

    def test_a_sample_repeats_with_its_seed(self):
        self.assertEqual(digits_sample(count=5, seed=9), digits_sample(count=5, seed=9))

    def test_bad_images_are_named(self):
        good = [0] * 64
        for images, message in (
            ("text", "images must be a list"),
            ([good, 5], "image 1 must be a list"),
            ([good, good[:63]], "image 1 must have 64 numbers .* got 63"),
            ([[0] * 10 + [17] + [0] * 53], "image 0, pixel 10 must be between 0 and 16, got 17"),
            ([[0] * 10 + ["1"] + [0] * 53], "image 0, pixel 10 must be a number, got str"),
            ([[0] * 10 + [math.nan] + [0] * 53], "image 0, pixel 10 must be between"),
            ([[True] * 64], "image 0, pixel 0 must be a number, got bool"),
        ):
            with self.subTest(message=message), self.assertRaisesRegex(ValueError, message):
                list(classify_digits(images, support.FakeContext()))

    def test_a_cancelled_call_yields_nothing_more(self):
        ctx = support.FakeContext()
        stream = classify_digits([[0] * 64] * 3, ctx)
        next(stream)
        ctx.cancelled = True
        self.assertEqual(list(stream), [])


class NetworkTest(unittest.TestCase):
    def test_the_gradient_agrees_with_finite_differences(self):
        draw = random.Random(2)
        network = Network.initial(4, 6)
        pixels = [draw.random() for _ in range(64)]
        _, class_errors, hidden, hidden_errors = network.gradient(pixels, 3)
        checks = [
            (network.w2, c, h, class_errors[c] * hidden[h]) for c in range(10) for h in range(6)
        ]
        checks += [(network.w1, h, 5, hidden_errors[h] * pixels[5]) for h in range(6)]
        for matrix, row, column, expected in checks:
            self.assertAlmostEqual(
                self.slope(network, matrix, row, column, pixels), expected, places=5
            )

    def slope(self, network, matrix, row, column, pixels, step=1e-6):
        losses = []
        for shift in (step, -2 * step):
            matrix[row][column] += shift
            losses.append(cross_entropy(network.probabilities(pixels), 3))
        matrix[row][column] += step
        return (losses[0] - losses[1]) / (2 * step)

    def test_softmax_survives_large_logits(self):
        self.assertEqual(softmax([1000.0, 0.0]), [1.0, 0.0])

    def test_packing_keeps_float32(self):
        packed = pack(Network.initial(1, 8))
        self.assertEqual(pack(unpack(packed, 8)), packed)
        with self.assertRaisesRegex(ValueError, "2440 bytes, got 2436"):
            unpack(packed[:-4], 8)


class ParallelTrainingTest(unittest.TestCase):
    HIDDEN, SHARDS = 24, 4

    def train(self, epochs, seed=7):
        weights = train_init(seed=seed, hidden=self.HIDDEN)
        losses = []
        for epoch in range(epochs):
            shards = [
                train_shard(weights, shard, self.SHARDS, epoch, 0.1, seed, self.HIDDEN)
                for shard in range(self.SHARDS)
            ]
            mean = train_average(shards)
            weights = mean["weights"]
            losses.append(mean["loss"])
            self.assertEqual(mean["samples"], 1438)
        return weights, losses

    def test_four_shards_with_averaging_converge(self):
        weights, losses = self.train(epochs=15)
        result = train_evaluate(weights, hidden=self.HIDDEN)
        self.assertGreaterEqual(result["accuracy"], 0.93)
        self.assertLess(losses[-1], losses[0] / 4)

    def test_training_is_deterministic(self):
        self.assertEqual(self.train(epochs=1), self.train(epochs=1))
        self.assertNotEqual(train_init(seed=1, hidden=8), train_init(seed=2, hidden=8))

    def test_the_average_weighs_by_samples(self):
        low, high = train_init(1, 4), train_init(2, 4)
        mean = train_average([{"weights": low, "samples": 1}, {"weights": high, "samples": 3}])
        b_low, b_high, b_mean = (unpack(w, 4).w1[0][0] for w in (low, high, mean["weights"]))
        self.assertAlmostEqual(b_mean, b_low / 4 + b_high * 3 / 4, places=6)

    def test_bad_arguments_are_clear_errors(self):
        weights = train_init(1, 4)
        for call, message in (
            (
                lambda: train_shard(weights, 4, 4, 0, 0.1, 7, 4),
                "shard_index must be between 0 and 3",
            ),
            (lambda: train_shard(weights, 0, 0, 0, 0.1, 7, 4), "shard_count must be between"),
            (lambda: train_shard(weights, 0, 1, 0, 0, 7, 4), "learning_rate"),
            (lambda: train_shard("abc", 0, 1, 0, 0.1, 7, 4), "weights must be bytes"),
            (lambda: train_init(1, 0), "hidden must be"),
            (lambda: train_average([]), "non-empty"),
            (lambda: train_average([{"weights": weights, "samples": 0}]), "shard 0"),
            (
                lambda: train_average(
                    [{"weights": train_init(1, h), "samples": 1} for h in (4, 5)]
                ),
                "differ in size",
            ),
        ):
            with self.subTest(message=message), self.assertRaisesRegex(ValueError, message):
                call()


if __name__ == "__main__":
    unittest.main()
