"""What a module's annotations become: schemas in the manifest, and arguments of the annotated types."""

import datetime
import decimal
import importlib.util
import pathlib
import subprocess
import sys
import textwrap
import unittest
import uuid

from snakepit_bridge.errors import Refusal, StartupError
from snakepit_bridge.loader import load_module
from snakepit_bridge.manifest import read_manifest

from .host import Host, write_module, worker_environment

_HAS_UNIONS = sys.version_info >= (3, 10)


class Case(unittest.TestCase):
    count = 0

    def load(self, source):
        """The manifest of a module with this source."""
        Case.count += 1
        path = write_module(self, source, name="contracts_case_%d.py" % Case.count)
        return read_manifest(load_module(path))

    def described(self, source, name="run"):
        return next(each for each in self.load(source).describe() if each["name"] == name)

    def argument(self, annotation, imports=""):
        """The schema of one argument, and its definitions."""
        schema = self.described("%s\ndef run(value: %s): ..." % (textwrap.dedent(imports), annotation))["schema"]
        return schema["properties"]["value"], schema.get("$defs", {})

    def converted(self, annotation, value, imports=""):
        command = self.load("%s\ndef run(value: %s): return value" % (textwrap.dedent(imports), annotation)).find("run")
        return command.invoke({"value": value})


class Schemas(Case):
    def test_a_command_without_annotations_has_none(self):
        self.assertEqual(self.described("def run(a, b=1, *c, **d): ..."), {"name": "run", "kind": "call", "context": False})

    def test_plain_types_need_no_look_at_typing(self):
        source = """
            def run(a: int, b: float, c: "str" = "x", *, d: bool = False, e: list = None, f: bytes = b"", g=3) -> dict: ...
        """
        described = self.described(source)
        self.assertEqual(
            described["schema"],
            {
                "type": "object",
                "properties": {
                    "a": {"type": "integer"},
                    "b": {"type": "number"},
                    "c": {"type": "string", "default": "x"},
                    "d": {"type": "boolean", "default": False},
                    "e": {"type": ["array", "null"], "default": None},
                    "f": {"x-value": "binary"},
                    "g": {"default": 3},
                },
                "required": ["a", "b"],
                "additionalProperties": False,
            },
        )
        self.assertEqual(described["positional"], ["a", "b", "c"])
        self.assertEqual(described["result"], {"type": "object"})

    def test_plain_annotations_do_not_import_typing_into_a_worker(self):
        path = write_module(self, "def run(a: int, b: 'list' = None) -> str: ...")
        script = (
            "import sys\n"
            "from snakepit_bridge.loader import load_module; from snakepit_bridge.manifest import read_manifest\n"
            "module = load_module(%r); before = set(sys.modules); manifest = read_manifest(module).describe()\n"
            "assert manifest[0]['schema'], manifest\n"
            "slow = {'typing', 'inspect', 'dataclasses', 'enum'} & (set(sys.modules) - before); assert not slow, slow" % path
        )
        done = subprocess.run([sys.executable, "-c", script], env=worker_environment(), capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_the_context_is_no_argument(self):
        described = self.described("def run(ctx, a: int): ...")
        self.assertEqual(list(described["schema"]["properties"]), ["a"])
        self.assertEqual(described["positional"], ["a"])

    def test_a_command_that_takes_nothing_says_so(self):
        described = self.described("def run() -> int: ...")
        self.assertEqual(described["schema"], {"type": "object", "properties": {}, "additionalProperties": False})
        self.assertEqual(self.described("def run(a) -> int: ...").keys(), {"name", "kind", "result", "context"})

    def test_other_names_are_taken_by_keywords(self):
        self.assertNotIn("additionalProperties", self.described("def run(a: int, **others): ...")["schema"])
        self.assertEqual(self.described("def run(a: int, **others: str): ...")["schema"]["additionalProperties"], {"type": "string"})

    def test_forms_of_typing(self):
        for annotation, schema in {
            "Any": {},
            "Optional[int]": {"type": ["integer", "null"]},
            "Union[int, str]": {"type": ["integer", "string"]},
            "Union[int, List[str]]": {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "string"}}]},
            "Union[int, Any]": {},
            "List[List[float]]": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
            "List": {"type": "array"},
            "Sequence[bytes]": {"type": "array", "items": {"x-value": "binary"}},
            "Dict[str, int]": {"type": "object", "additionalProperties": {"type": "integer"}},
            "Mapping": {"type": "object"},
            "Literal['a', 'b']": {"enum": ["a", "b"]},
            "Literal['a']": {"const": "a"},
            "Set[int]": {"type": "array", "items": {"type": "integer"}},
            "FrozenSet[int]": {"type": "array", "items": {"type": "integer"}},
            "Tuple[int, ...]": {"type": "array", "items": {"type": "integer"}},
            "Tuple[int, str]": {
                "type": "array",
                "minItems": 2,
                "maxItems": 2,
                "prefixItems": [{"type": "integer"}, {"type": "string"}],
            },
            "NewType('Id', int)": {"type": "integer"},
            "'List[int]'": {"type": "array", "items": {"type": "integer"}},
            "Annotated[int, 'how many']": {"type": "integer", "description": "how many"},
            "datetime.datetime": {"x-value": "time"},
            "datetime.date": {"type": "string", "format": "date"},
            "datetime.time": {"type": "string", "format": "time"},
            "datetime.timedelta": {"type": "number"},
            "uuid.UUID": {"type": "string", "format": "uuid"},
            "decimal.Decimal": {"type": "string", "format": "decimal"},
            "pathlib.Path": {"type": "string", "format": "path"},
            "memoryview": {"x-value": "array"},
            "bytearray": {"x-value": "binary"},
        }.items():
            with self.subTest(annotation):
                imports = "import datetime, decimal, pathlib, uuid\nfrom typing import *"
                self.assertEqual(self.argument(annotation, imports), (schema, {}))

    @unittest.skipUnless(_HAS_UNIONS, "X | Y came with Python 3.10")
    def test_unions_by_a_bar_also_as_text(self):
        self.assertEqual(self.argument("int | None")[0], {"type": ["integer", "null"]})
        self.assertEqual(self.argument("list[int] | str", "from __future__ import annotations")[0]["anyOf"][1], {"type": "string"})

    def test_limits_in_the_words_of_annotated_types(self):
        imports = """
            from typing import Annotated, List
            class Limit:
                def __init__(self, **limits): self.__dict__.update(limits)
        """
        self.assertEqual(self.argument("Annotated[int, Limit(ge=0, lt=10)]", imports)[0], {"type": "integer", "minimum": 0, "exclusiveMaximum": 10})
        self.assertEqual(self.argument("Annotated[str, Limit(min_length=1, description='a name')]", imports)[0], {"type": "string", "minLength": 1, "description": "a name"})
        self.assertEqual(self.argument("Annotated[List[int], Limit(max_length=3)]", imports)[0]["maxItems"], 3)

    def test_classes_are_definitions_by_their_names(self):
        source = """
            from __future__ import annotations
            from dataclasses import dataclass, field
            from enum import Enum
            from typing import List, NamedTuple, Optional, TypedDict

            class Color(Enum):
                RED = "red"
                BLUE = "blue"

            class Place(NamedTuple):
                x: float
                y: float = 0.0

            class Options(TypedDict, total=False):
                limit: int

            @dataclass
            class Tree:
                '''A tree of
                places.'''
                name: str
                place: Place
                color: Color = Color.RED
                size: int = 1
                children: List[Tree] = field(default_factory=list)
                options: Optional[Options] = None
                depth: int = field(init=False, default=0)

            def run(tree: Tree) -> Tree: ...
        """
        described = self.described(source)
        taken = described["schema"]["$defs"]
        self.assertEqual(described["schema"]["properties"]["tree"], {"$ref": "#/$defs/Tree"})
        self.assertEqual(taken["Color"], {"enum": ["red", "blue"]})
        self.assertEqual(taken["Options"], {"type": "object", "properties": {"limit": {"type": "integer"}}})
        self.assertEqual(taken["Place"]["prefixItems"], [{"title": "x", "type": "number"}, {"title": "y", "type": "number"}])
        self.assertEqual(taken["Place"]["minItems"], 1)
        tree = taken["Tree"]
        self.assertEqual(tree["description"], "A tree of places.")
        self.assertEqual(tree["required"], ["name", "place"])
        self.assertIs(tree["additionalProperties"], False)
        self.assertEqual(tree["properties"]["children"], {"type": "array", "items": {"$ref": "#/$defs/Tree"}})
        self.assertEqual(tree["properties"]["size"], {"type": "integer", "default": 1})
        self.assertNotIn("depth", tree["properties"])
        given = described["result"]["$defs"]
        self.assertEqual(given["Tree"]["required"], ["name", "place", "color", "size", "children", "options", "depth"])
        self.assertEqual(given["Place"]["minItems"], 2)

    def test_keys_of_typed_dicts_that_need_not_be_there(self):
        source = """
            from __future__ import annotations
            from typing import TypedDict
            try:
                from typing import NotRequired
            except ImportError:
                class NotRequired:
                    def __class_getitem__(cls, item): return item
            class Row(TypedDict):
                a: int
                b: NotRequired[int]
            def run(row: Row): ...
        """
        required = self.described(source)["schema"]["$defs"]["Row"]["required"]
        self.assertEqual(required, ["a"] if sys.version_info >= (3, 11) else ["a", "b"])

    def test_items_of_streams(self):
        for annotation in ("Iterator[int]", "Generator[int, None, str]", "Iterable[int]"):
            with self.subTest(annotation):
                described = self.described("from typing import *\ndef run() -> %s: yield 1" % annotation)
                self.assertEqual((described["kind"], described["result"]), ("stream", {"type": "integer"}))
        described = self.described("from typing import *\nasync def run() -> AsyncIterator[int]: yield 1")
        self.assertEqual((described["kind"], described["result"]), ("stream", {"type": "integer"}))

    def test_batches_describe_one_call(self):
        source = """
            from dataclasses import dataclass
            from typing import List
            from snakepit_bridge import batch
            @dataclass
            class Image:
                pixels: bytes
            @batch
            def run(images: List[Image]) -> List[float]: ...
        """
        described = self.described(source)
        self.assertEqual(described["schema"]["$ref"], "#/$defs/Image")
        self.assertEqual(described["result"], {"type": "number"})
        self.assertNotIn("positional", described)

    def test_two_classes_of_one_name_are_told_apart(self):
        source = """
            from dataclasses import dataclass
            def make(kind):
                @dataclass
                class Point:
                    x: kind
                return Point
            One, Two = make(int), make(str)
            def run(a: One, b: Two): ...
        """
        schema = self.described(source)["schema"]
        self.assertEqual([each["$ref"] for each in schema["properties"].values()], ["#/$defs/Point", "#/$defs/Point2"])


class Refusals(Case):
    def refused(self, source, pattern):
        with self.assertRaisesRegex(StartupError, pattern):
            self.load(source)

    def test_they_name_command_parameter_file_line_and_remedy(self):
        source = "\nclass Model: ...\n\ndef predict(model: Model): ..."
        self.refused(
            source,
            r"command 'predict', parameter 'model', of .*predict \(.*contracts_case_\d+\.py:4\): "
            r".*Model is nothing that travels between processes; write .* or Any .*underscore",
        )

    def test_what_no_schema_can_express(self):
        for annotation, reason in {
            "Callable[[], int]": "Callable",
            "TypeVar('T')": "T is nothing that travels",
            "Dict[int, str]": "keys of a map are text",
            "Literal[b'x']": "Literal",
            "Iterator[int]": "is an iterator",
            "'Missing'": "cannot be read .NameError",
            "List[Callable[[], int]]": "nothing that travels",
        }.items():
            with self.subTest(annotation):
                self.refused("from typing import *\ndef run(value: %s): ..." % annotation, reason)

    def test_what_cannot_be_sent_back(self):
        self.refused("from typing import Set\ndef run() -> Set[int]: ...", "what it returns.*a set has no order")
        self.refused("from typing import *\ndef run() -> Iterator[int]: return iter(())", "what it returns.*yield from it")
        self.refused("from typing import *\ndef run() -> List[int]: yield 1", "it yields; write Iterator")

    def test_fields_are_named(self):
        source = """
            from dataclasses import dataclass
            import threading
            @dataclass
            class Job:
                lock: threading.Thread
            def run(job: Job): ...
        """
        self.refused(source, "Job.lock: threading.Thread is nothing that travels")

    def test_a_worker_says_so_and_ends(self):
        host = Host(self, write_module(self, "class Model: ...\ndef predict(model: Model): ..."), says_hello=False)
        host.say_hello(codecs=["json"])
        self.assertRegex(host.read_hello()["error"]["message"], "parameter 'model'")
        self.assertEqual(host.wait(), 1)


class Conversion(Case):
    def test_arguments_become_what_is_annotated(self):
        imports = """
            import datetime, decimal, pathlib, uuid
            from collections import deque
            from enum import Enum
            from typing import *
            class Color(Enum):
                RED = "red"
            class Place(NamedTuple):
                x: float
                y: float = 0.0
        """
        for annotation, value, expected in (
            ("datetime.date", "2026-01-31", datetime.date(2026, 1, 31)),
            ("datetime.timedelta", 1.5, datetime.timedelta(seconds=1.5)),
            ("uuid.UUID", "12345678-1234-5678-1234-567812345678", uuid.UUID("12345678-1234-5678-1234-567812345678")),
            ("decimal.Decimal", "1.10", decimal.Decimal("1.10")),
            ("pathlib.PurePosixPath", "/tmp", pathlib.PurePosixPath("/tmp")),
            ("Set[int]", [1, 1], {1}),
            ("Tuple[int, str]", [1, "a"], (1, "a")),
            ("Tuple[int, ...]", [1, 2], (1, 2)),
            ("List[datetime.date]", ["2026-01-31"], [datetime.date(2026, 1, 31)]),
            ("Dict[str, Set[int]]", {"a": [1]}, {"a": {1}}),
            ("Optional[datetime.date]", None, None),
            ("Optional[datetime.date]", "2026-01-31", datetime.date(2026, 1, 31)),
            ("Union[int, datetime.date]", 5, 5),
            ("bytearray", b"ab", bytearray(b"ab")),
        ):
            with self.subTest(annotation):
                converted = self.converted(annotation, value, imports)
                self.assertEqual((converted, type(converted)), (expected, type(expected)))
        self.assertEqual(self.converted("Place", [1.0], imports), (1.0, 0.0))
        self.assertEqual(self.converted("Color", "red", imports).name, "RED")

    def test_objects_are_made_of_maps(self):
        source = """
            from __future__ import annotations
            from dataclasses import dataclass, field
            from datetime import date
            from typing import Dict, List
            @dataclass
            class Item:
                sku: str
                bought: date
                parts: List[Item] = field(default_factory=list)
            def run(items: List[Item], by_name: Dict[str, Item] = {}): return [items, by_name]
        """
        command = self.load(source).find("run")
        raw = {"sku": "a", "bought": "2026-01-31", "parts": [{"sku": "b", "bought": "2026-02-01"}]}
        for arguments in ({"items": [raw], "by_name": {"x": raw}}, [[raw], {"x": raw}]):
            items, by_name = command.invoke(arguments)
            self.assertEqual(type(items[0]).__name__, "Item")
            self.assertEqual(items[0].parts[0].bought, datetime.date(2026, 2, 1))
            self.assertEqual(by_name["x"], items[0])

    def test_what_does_not_fit_is_refused_with_its_path(self):
        imports = """
            from dataclasses import dataclass
            from datetime import date
            from typing import *
            @dataclass
            class Item:
                sku: str
                bought: date
        """
        for annotation, value, path in (
            ("Item", {"sku": "a"}, "args.value.bought"),
            ("Item", {"sku": "a", "bought": "x"}, "args.value.bought"),
            ("Item", {"sku": "a", "bought": "2026-01-31", "x": 1}, "args.value.x"),
            ("List[Item]", [{"sku": "a", "bought": 5}], "args.value[0].bought"),
            ("Dict[str, date]", {"a b": "x"}, "args.value['a b']"),
            ("Tuple[date, date]", ["2026-01-31"], "args.value"),
            ("Set[List[int]]", [[1]], "args.value"),
        ):
            with self.subTest(annotation):
                with self.assertRaises(Refusal) as raised:
                    self.converted(annotation, value, imports)
                self.assertEqual((raised.exception.code, raised.exception.data), ("INVALID_ARGUMENTS", {"path": path}))

    def test_one_call_of_a_batch_that_does_not_fit_is_refused_alone(self):
        source = """
            from datetime import date
            from typing import List
            from snakepit_bridge import batch
            @batch
            def run(days: List[date]) -> List[int]: return [day.day for day in days]
        """
        command = self.load(source).find("run")
        answer = command.invoke(["2026-01-30", "x", "2026-01-31"], None, True)
        self.assertEqual(answer.results, [30, None, 31])
        self.assertEqual([(index, error.code) for index, error in answer.errors], [(1, "INVALID_ARGUMENTS")])
        self.assertEqual(command.invoke("2026-01-30"), 30)
        with self.assertRaises(Refusal):
            command.invoke("x")

    def test_commands_that_convert_nothing_keep_to_the_fast_path(self):
        manifest = self.load(
            "from typing import *\nimport datetime\n"
            "def plain(a: int, b: List[Dict[str, float]]) -> List[int]: ...\ndef converts(a: datetime.date): ..."
        )
        self.assertTrue(manifest.find("plain").is_plain)
        self.assertFalse(manifest.find("converts").is_plain)


class OverTheWire(Case):
    def test_durations_and_paths_can_be_returned(self):
        source = "from pathlib import *\nfrom datetime import *\ndef run(): return [timedelta(minutes=1.5), PurePosixPath('/a')]"
        host = Host(self, write_module(self, source))
        self.assertEqual(host.result(1, "run"), [90.0, "/a"])


@unittest.skipUnless(importlib.util.find_spec("pydantic"), "pydantic is not installed")
class Models(Case):
    SOURCE = """
        from datetime import datetime, timedelta
        from typing import Annotated, List, Optional
        from pydantic import BaseModel, Field

        class Tag(BaseModel):
            name: str = Field(min_length=1)

        class Post(BaseModel):
            '''What somebody wrote.'''
            title: Annotated[str, Field(max_length=80)]
            at: datetime
            body: bytes = b""
            tags: List[Tag] = []
            reply_to: Optional["Post"] = None

        def run(post: Post, limit: Annotated[int, Field(ge=1, description="how many")] = 5) -> Post: return post
    """

    def test_they_describe_themselves_as_they_travel(self):
        described = self.described(self.SOURCE)
        properties = described["schema"]["properties"]
        self.assertEqual(properties["limit"], {"type": "integer", "minimum": 1, "description": "how many", "default": 5})
        post = described["schema"]["$defs"][properties["post"]["$ref"].rpartition("/")[2]]
        self.assertEqual(post["description"], "What somebody wrote.")
        self.assertEqual(post["properties"]["at"]["x-value"], "time")
        self.assertEqual(post["properties"]["body"]["x-value"], "binary")
        self.assertEqual(post["required"], ["title", "at"])
        self.assertEqual(described["schema"]["$defs"]["Tag"]["properties"]["name"]["minLength"], 1)

    def test_arguments_become_models_and_misfits_have_a_path(self):
        command = self.load(self.SOURCE).find("run")
        now = datetime.datetime.now(datetime.timezone.utc)
        post = command.invoke({"post": {"title": "a", "at": now, "tags": [{"name": "x"}]}})
        self.assertEqual((type(post).__name__, post.tags[0].name, post.at), ("Post", "x", now))
        with self.assertRaises(Refusal) as raised:
            command.invoke({"post": {"title": "a", "at": now, "tags": [{"name": ""}]}})
        self.assertEqual(raised.exception.data, {"path": "args.post.tags[0].name"})


@unittest.skipUnless(importlib.util.find_spec("numpy"), "numpy is not installed")
class Arrays(Case):
    IMPORTS = "import numpy as np\nimport numpy.typing as npt"

    def test_they_are_typed_arrays_or_lists(self):
        self.assertEqual(self.argument("np.ndarray", self.IMPORTS)[0], {"anyOf": [{"x-value": "array"}, {"type": "array"}]})
        self.assertEqual(self.argument("npt.NDArray[np.float64]", self.IMPORTS)[0]["anyOf"][0], {"x-value": "array", "x-elements": ["f8"]})

    def test_arguments_become_arrays(self):
        import numpy

        for value in (memoryview(numpy.array([1.0, 2.0])), [1, 2]):
            made = self.converted("npt.NDArray[np.float64]", value, self.IMPORTS)
            self.assertEqual((made.tolist(), made.dtype.name), ([1.0, 2.0], "float64"))
        self.assertEqual(self.converted("np.ndarray", b"\x01\x02", self.IMPORTS).tolist(), [1, 2])
