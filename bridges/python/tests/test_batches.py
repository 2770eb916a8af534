"""`@batch`, and what is shared out of a batch's results."""

import types
import unittest

from snakepit_bridge import batch, command
from snakepit_bridge.batch_call import run_batch, run_single
from snakepit_bridge.batching import BatchAnswer
from snakepit_bridge.codec import create_codec
from snakepit_bridge.command import Command
from snakepit_bridge.encoder import Encoder
from snakepit_bridge.errors import INVALID_RESULT, Refusal, StartupError
from snakepit_bridge.manifest import read_manifest


def module_of(**members):
    module = types.ModuleType("models")
    for name, value in members.items():
        value.__module__ = "models"
        setattr(module, name, value)
    return module


def echo(items):
    return items


class Marking(unittest.TestCase):
    def test_the_manifest_has_what_was_said(self):
        def predict(items):
            return items

        def other():
            pass

        module = module_of(predict=batch(max_size=64, max_wait_ms=5, adaptive=False)(predict), other=other)
        described = {each["name"]: each for each in read_manifest(module).describe()}
        self.assertEqual(described["predict"]["batch"], {"maxSize": 64, "maxWaitMs": 5, "adaptive": False})
        self.assertNotIn("batch", described["other"])

    def test_it_hides_no_other_function_and_is_hidden_by_none(self):
        def marked():
            pass

        def predict(items):
            return items

        def hidden():
            pass

        module = module_of(marked=command(marked), predict=batch(predict), hidden=hidden)
        self.assertEqual(sorted(read_manifest(module).by_name), ["marked", "predict"])

    def test_values_that_are_not_allowed_keep_the_worker_from_starting(self):
        for wrong in ({"max_size": 0}, {"max_size": 1.5}, {"max_size": True}, {"max_wait_ms": -1}, {"adaptive": 1}):
            with self.subTest(wrong), self.assertRaisesRegex(StartupError, "allowed is"):
                batch(**wrong)(echo)

    def test_a_generator_is_refused(self):
        def walk(items):
            yield from items

        with self.assertRaisesRegex(StartupError, "yields"):
            Command("walk", batch(walk))


class Sharing(unittest.TestCase):
    def setUp(self):
        self.encoder = Encoder(create_codec("json", 16, None), 2000)

    def decoded(self, answer):
        flags, body = answer.encode(self.encoder, False)
        return create_codec("json", 16, None).decode(bytes(body), flags)

    def test_exceptions_are_the_errors_of_their_calls(self):
        answer = run_batch(Command("f", lambda items: [1, ValueError("no"), 3]), [None] * 3, None)
        results, errors = self.decoded(answer)
        self.assertEqual(results, [1, None, 3])
        self.assertEqual([(index, error["type"], error["message"]) for index, error in errors], [(1, "ValueError", "no")])

    def test_anything_but_one_result_for_each_call_is_refused(self):
        for returned, made in (([1], "1 results"), (None, "NoneType"), ("ab", "str"), ({0: 1, 1: 2}, "dict")):
            with self.subTest(returned), self.assertRaisesRegex(Refusal, "f returned %s for a batch of 2 calls" % made) as raised:
                run_batch(Command("f", lambda items, returned=returned: returned), [1, 2], None)
            self.assertEqual(raised.exception.code, INVALID_RESULT)

    def test_what_has_tolist_is_a_list(self):
        class Array:
            def tolist(self):
                return [1, 2]

        self.assertEqual(run_batch(Command("f", lambda items: Array()), [1, 2], None).results, [1, 2])

    def test_results_without_a_form_or_without_room_fail_their_own_calls(self):
        results, errors = self.decoded(BatchAnswer(["a", object(), "x" * 1200, "y" * 1000], [[0, KeyError("a")]]))
        self.assertEqual(results[1:3], [None, None])
        self.assertEqual(results[3], "y" * 1000)
        self.assertEqual(sorted((index, error["code"]) for index, error in errors), [(0, "REMOTE_ERROR"), (1, INVALID_RESULT), (2, "FRAME_TOO_LARGE")])

    def test_a_single_call_is_a_batch_of_one(self):
        seen = []
        handler = Command("f", batch(lambda items: seen.append(items) or [LookupError("x") if items[0] else 5]))
        self.assertEqual(handler.invoke(None), 5)
        with self.assertRaises(LookupError):
            run_single(handler, {"a": 1}, None)
        self.assertEqual(seen, [[None], [{"a": 1}]])


if __name__ == "__main__":
    unittest.main()
