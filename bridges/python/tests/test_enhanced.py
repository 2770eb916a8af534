"""Library commands: the allow-list, stored objects, serialization, and what attackers try."""

import os
import sys
import tempfile
import threading
import types
import unittest

from snakepit_bridge.enhanced import Enhanced, Plugin, register_plugin, register_serializer
from snakepit_bridge.enhanced.failures import Forbidden, StepFailed, StoreFull
from snakepit_bridge.errors import Refusal, StartupError

from .host import Host, write_module

ALLOW = ["math", "json", "collections", "re", "decimal", "datetime", "string", "random", "xml.sax.*", "json.loads"]


class _Context:
    def __init__(self, session="s"):
        self.session = None if session is None else types.SimpleNamespace(id=session)


class EnhancedTest(unittest.TestCase):
    def setUp(self):
        self.library = Enhanced(allow=ALLOW, max_objects=3)
        self.ctx = _Context()

    def call(self, target, args=None, kwargs=None, store_as=None):
        return self.library.call(self.ctx, target, args, kwargs, store_as)

    def refused(self, reason, target, args=None):
        with self.assertRaises(Refusal) as caught:
            self.call(target, args)
        self.assertEqual(caught.exception.data["reason"], reason, str(caught.exception))
        return str(caught.exception)


class AllowList(EnhancedTest):
    def test_calls_functions_classes_and_reads_values(self):
        self.assertEqual(self.call("math.sqrt", [4]), {"value": 2.0})
        self.assertEqual(self.call("math.pi")["value"], 3.141592653589793)
        self.assertEqual(self.call("collections.Counter", ["aab"]), {"value": {"a": 2, "b": 1}})
        self.assertEqual(self.call("re.findall", ["a", "aba"]), {"value": ["a", "a"]})

    def test_packages_are_allowed_as_they_are_named(self):
        self.assertEqual(self.call("xml.sax.saxutils.escape", ["<"]), {"value": "&lt;"})
        exact = Enhanced(allow=["xml.sax", "json.loads"])
        with self.assertRaises(Refusal):
            exact.call(self.ctx, "xml.sax.saxutils.escape", ["<"])
        self.assertEqual(exact.call(self.ctx, "json.loads", ["[1]"]), {"value": [1]})
        with self.assertRaises(Refusal):
            exact.call(self.ctx, "json.dumps", [1])

    def test_modules_that_run_anything_cannot_be_allowed(self):
        for name in (
            "os",
            "sys",
            "builtins",
            "subprocess",
            "pickle",
            "importlib.util",
            "operator",
            "types",
            "ctypes.*",
            "snakepit_bridge",
            "_io",
            "timeit",
        ):
            with self.assertRaisesRegex(StartupError, "cannot stand on the allow-list"):
                Enhanced(allow=[name])
        for entry in ("*", "a b", "", "math.", 7):
            with self.assertRaises(StartupError):
                Enhanced(allow=[entry])
        with self.assertRaisesRegex(StartupError, "empty"):
            Enhanced(allow=[])

    def test_settings_that_cannot_be_are_refused(self):
        for settings in ({"max_objects": 0}, {"permit": ["everything"]}, {"read": "x"}, {"unknown": 1}):
            with self.assertRaises(StartupError):
                Enhanced(allow=["math"], **settings)


class Attacks(EnhancedTest):
    def test_an_escape_by_attributes_is_refused(self):
        self.call("re.compile", ["a"], store_as="pattern")
        for target in (
            "math.__loader__",
            "math.__loader__.load_module",
            "json.codecs.open",
            "json.decoder",
            "json.loads.__globals__",
            "json.loads.__code__",
            "json.JSONEncoder.__init__.__globals__",
            "json.JSONDecoder.__subclasses__",
            "json.JSONDecoder.mro",
            "random._os",
            "random._inst",
            "random.Random.__reduce__",
            "collections._sys",
            "collections.abc.sys",
            "pattern.__class__",
            "pattern.__reduce_ex__",
            "pattern.findall.__self__",
            "string.Formatter",
            "re.enum.sys",
            "re._compiler",
            "re.copyreg.pickle",
            "xml.sax.saxutils.os",
            "xml.sax.handler.__builtins__",
            "datetime.sys.modules",
            "decimal.__spec__.loader",
        ):
            with self.subTest(target):
                with self.assertRaises(Refusal) as caught:
                    self.call(target, [])
                self.assertIn(caught.exception.data["reason"], ("not-allowed", "unknown-attribute"))

    def test_modules_that_are_not_allowed_are_refused(self):
        for target in (
            "os.system",
            "sys.exit",
            "builtins.eval",
            "__builtins__.eval",
            "subprocess.run",
            "importlib.import_module",
            "snakepit_bridge.enhanced.Enhanced",
        ):
            with self.subTest(target):
                self.refused("not-allowed", target, ["x"])

    def test_text_is_never_a_way_to_attributes(self):
        self.call("json.loads", ['"{0.__class__}"'], store_as="text")
        self.refused("not-allowed", "text.format", [[1]])
        self.refused("not-allowed", "text.format_map", [{}])
        self.assertEqual(self.call("text.upper"), {"value": "{0.__CLASS__}"})

    def test_functions_that_say_to_be_of_an_allowed_module_are_known_by_their_names(self):
        module = types.ModuleType("liar")
        exec("def run(): return open", {"__name__": "other"}, module.__dict__)
        module.run.__module__ = "liar"
        module.os = os
        module.system = os.system
        module.getcwd = os.getcwd
        module.printer = print
        sys.modules["liar"] = module
        self.addCleanup(sys.modules.pop, "liar")
        library = Enhanced(allow=["liar"])
        for target in ("liar.run", "liar.os", "liar.system", "liar.getcwd", "liar.printer", "liar.os.path"):
            with self.subTest(target), self.assertRaises(Refusal) as caught:
                library.call(self.ctx, target, [])
            self.assertEqual(caught.exception.data["reason"], "not-allowed")

    def test_odd_targets_are_refused(self):
        for target in ("", ".", "math.", ".sqrt", "math sqrt", "math;os", "mаth.sqrt", "a" * 501, None, 7, ["math"], "math[0]"):
            with self.subTest(target=target):
                self.refused("bad-argument", target, [])

    def test_forms_that_are_unknown_or_malformed_are_refused(self):
        for argument in (
            {"@eval": "1"},
            {"@ndarray": 1},
            {"@complex": ["x"]},
            {"@map": [[[], 1]]},
            {"@ref": ["a"]},
            {"@decimal": "x"},
            {"@dataframe": {}},
        ):
            with self.subTest(argument=argument), self.assertRaises(Refusal):
                self.call("json.dumps", [argument])

    def test_called_functions_reach_no_files_programs_and_code(self):
        module = types.ModuleType("reaching")
        sys.modules["reaching"] = module
        self.addCleanup(sys.modules.pop, "reaching")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        module.__dict__.update(os=os, folder=folder.name)
        exec(
            "def write(): open(os.path.join(folder, 'x'), 'w')\n"
            "def opened(): os.open(os.path.join(folder, 'x'), os.O_CREAT | os.O_WRONLY)\n"
            "def renamed(): os.rename('/nowhere-a', '/nowhere-b')\n"
            "def listed(): os.listdir('/etc')\n"
            "def read(): open('/etc/passwd').read()\n"
            "def run(): os.system('true')\n"
            "def forked(): os.fork()\n"
            "def killed(): os.kill(os.getpid(), 0)\n"
            "def evaluated(): eval('1')\n"
            "def compiled(): compile('1', '', 'eval')\n"
            "def native(): __import__('ctypes').CDLL(None)\n"
            "def revived(): __import__('pickle').loads(b'cos\\nsystem\\n.')\n",
            module.__dict__,
        )
        library = Enhanced(allow=["reaching"])
        for name in "write opened renamed listed read run forked killed evaluated compiled native revived".split():
            with self.subTest(name):
                with self.assertRaises(Forbidden):
                    library.call(self.ctx, "reaching.%s" % name, [])
        self.assertEqual(os.listdir(folder.name), [])
        open(os.path.join(folder.name, "after"), "w").close()  # outside of calls nothing is stopped


    def test_calls_side_by_side_in_threads_are_guarded_each(self):
        module = types.ModuleType("sidebyside")
        sys.modules["sidebyside"] = module
        self.addCleanup(sys.modules.pop, "sidebyside")
        begun, go_on = threading.Event(), threading.Event()
        module.__dict__.update(begun=begun, go_on=go_on)
        exec("def wait(): begun.set(); go_on.wait(20)\ndef read(): open('/etc/passwd')", module.__dict__)
        library = Enhanced(allow=["sidebyside"])
        outcomes, may_read = [], threading.Event()

        def read():
            may_read.wait(20)
            try:
                library.call(self.ctx, "sidebyside.read", [])
            except Forbidden:
                outcomes.append("forbidden")

        reader = threading.Thread(target=read)
        reader.start()  # before the other's call, so that it counts as a thread that was there
        waiter = threading.Thread(target=library.call, args=(_Context("other"), "sidebyside.wait", []))
        waiter.start()
        begun.wait(20)
        may_read.set()
        reader.join()
        go_on.set()
        waiter.join()
        self.assertEqual(outcomes, ["forbidden"])


class Stored(EnhancedTest):
    def test_objects_are_kept_and_let_go(self):
        self.assertEqual(self.call("json.loads", ["[1, 2]"], store_as="values")["stored"]["repr"], "[1, 2]")
        self.assertEqual(self.call("math.fsum", [{"@ref": "values"}]), {"value": 3.0})
        self.assertEqual(self.call("json.dumps", [{"a": [{"@ref": "values"}]}]), {"value": '{"a": [[1, 2]]}'})
        self.library.delete(self.ctx, "values")
        self.assertIn("was deleted", self.refused("deleted-object", "values.append", [1]))
        self.assertIn("was deleted", self.refused("deleted-object", "math.fsum", [{"@ref": "values"}]))

    def test_sessions_see_their_own_and_take_them_along(self):
        self.library.store(self.ctx, "mine", 1)
        with self.assertRaises(Refusal):
            self.library.retrieve(_Context("other"), "mine")
        self.library.close_session(self.ctx.session)
        with self.assertRaises(Refusal):
            self.library.retrieve(self.ctx, "mine")
        with self.assertRaises(Refusal):
            self.library.store(_Context(None), "x", 1)

    def test_quotas_hold(self):
        for at in range(3):
            self.library.store(self.ctx, "value_%d" % at, at)
        with self.assertRaisesRegex(Refusal, "maxObjects"):
            self.library.store(self.ctx, "more", 1)
        self.library.store(self.ctx, "value_0", "replaced")
        small = Enhanced(allow=["math"], max_bytes=1000)
        with self.assertRaises(StoreFull):
            small.store(self.ctx, "large", "x" * 1001)
        self.assertEqual(small.list(self.ctx)["objects"], [])

    def test_what_has_no_form_is_kept_for_a_while(self):
        told = self.call("random.Random", [1])["value"]["@object"]
        self.assertEqual((told["type"], told["ref"]), ("random.Random", "_1"))
        self.library.store(self.ctx, "dice", {"@ref": told["ref"]})
        self.assertEqual(self.call("dice.randint", [1, 1]), {"value": 1})

    def test_a_failing_step_is_named(self):
        steps = [{"target": "math.sqrt", "args": [4], "store_as": "two"}, {"name": "bad", "target": "math.sqrt", "args": [-1]}]
        with self.assertRaisesRegex(StepFailed, r"step 2 \('bad': math.sqrt\) raised ValueError") as caught:
            self.library.pipeline(self.ctx, steps)
        self.assertEqual(caught.exception.data["step"], 2)


class Plugins(EnhancedTest):
    def test_serializers_are_found_by_class_name_and_base(self):
        class Base:
            pass

        class Derived(Base):
            pass

        register_serializer(Base, lambda value: {"kind": type(value).__name__})
        from snakepit_bridge.enhanced.to_wire import ToWire

        self.assertEqual(ToWire(self.library.plugins, 10, lambda value: None).encode(Derived()), {"kind": "Derived"})
        with self.assertRaises(TypeError):
            register_serializer(7, None)

    def test_outputs_like_those_of_transformers_and_dspy_are_told_by_what_they_can_do(self):
        from snakepit_bridge.enhanced.to_wire import ToWire

        class Tensor:
            shape = (2,)

            def detach(self):
                return self

            def cpu(self):
                return self

            def numpy(self):
                return [0.5, 0.5]

        output = type("ModelOutput", (dict,), {"__module__": "transformers.utils.generic"})(logits=Tensor(), loss=None)
        prediction = type(
            "Prediction", (), {"__module__": "dspy.primitives.prediction", "toDict": lambda self: {"answer": "42"}}
        )()
        encode = ToWire(self.library.plugins, 100, lambda value: None).encode
        self.assertEqual(encode(output), {"logits": [0.5, 0.5]})
        self.assertEqual(encode(prediction), {"answer": "42"})

    def test_a_plugin_of_ones_own_serializes_and_configures(self):
        class Mine(Plugin):
            package = "mylib"
            denied = frozenset(("danger",))

            def serialize(self, value, encoder):
                return encoder.encode({"mine": value.x})

            def configure(self, settings):
                return sorted(settings)

        register_plugin(Mine())
        module = types.ModuleType("mylib")
        exec("class Thing:\n    x = 3\n    def danger(self): pass\n", module.__dict__)
        sys.modules["mylib"] = module
        self.addCleanup(sys.modules.pop, "mylib")
        library = Enhanced(allow=["mylib"])
        self.assertEqual(library.call(self.ctx, "mylib.Thing", []), {"value": {"mine": 3}})
        library.call(self.ctx, "mylib.Thing", [], None, "thing")
        with self.assertRaises(Refusal):
            library.call(self.ctx, "thing.danger", [])
        self.assertEqual(library.configure(self.ctx, "mylib", {"b": 1}), {"configured": ["b"]})


class Served(unittest.TestCase):
    def test_a_module_says_what_callers_may_call(self):
        source = """
            from snakepit_bridge.enhanced import Enhanced

            library = Enhanced(allow=["math"])

            def own():
                return 1
        """
        host = Host(self, write_module(self, source))
        self.assertEqual(host.result(1, "own"), 1)
        self.assertEqual(host.result(2, "python.call", {"target": "math.sqrt", "args": [9]}), {"value": 3.0})
        error = host.error(3, "python.call", {"target": "os.getpid", "args": []})
        self.assertEqual((error["code"], error["data"]["reason"]), ("INVALID_ARGUMENTS", "not-allowed"))

    def test_a_session_that_ends_lets_go_of_its_objects(self):
        from snakepit_bridge.v2 import frame as f

        source = """
            from snakepit_bridge.enhanced import Enhanced

            library = Enhanced(allow=["math"])
        """
        host = Host(self, write_module(self, source))
        host.result(1, "python.store", {"name": "x", "value": 1}, meta={"session": "s"})
        self.assertEqual(host.result(2, "python.retrieve", {"name": "x"}, meta={"session": "s"}), {"value": 1})
        flags, body = host.codec.encode("s")
        host.send(f.SESSION_CLOSED, 0, flags, body=body)
        error = host.error(3, "python.retrieve", {"name": "x"}, meta={"session": "s"})
        self.assertEqual(error["data"]["reason"], "unknown-object")


if __name__ == "__main__":
    unittest.main()
