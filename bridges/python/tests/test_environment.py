"""How environments are made, and what is told of it meanwhile."""

import os
import subprocess
import sys
import tempfile
import unittest
from importlib import metadata
from unittest import mock

from snakepit_bridge.environment.build import Programs, is_complete, pip_serves_others
from snakepit_bridge.environment.content import read_content
from snakepit_bridge.errors import StartupError


class ProgramsTest(unittest.TestCase):
    def setUp(self):
        self.told = []
        self.lock = os.open(os.devnull, os.O_RDONLY)
        self.addCleanup(os.close, self.lock)

    def run_program(self, script, report=None):
        say = report or (lambda level, text: self.told.append((level, text)))
        Programs(say, self.lock, still_seconds=0.02).run([sys.executable, "-c", script])

    def test_tells_of_one_that_takes_long_what_it_said_last(self):
        gate, release = os.pipe()
        self.addCleanup(os.close, gate)
        is_released = []

        def report(level, text):
            self.told.append((level, text))
            if level == "info" and text.endswith("downloading") and not is_released:
                is_released.append(True)
                os.close(release)

        # The lock is what a program inherits; here it is what this one waits for.
        script = "import os; print('downloading', flush=True); os.read(%d, 1)" % gate
        Programs(report, gate, still_seconds=0.02).run([sys.executable, "-c", script])
        self.assertIn(("debug", "downloading"), self.told)
        self.assertTrue(any(text.startswith("still making the Python environment") for _, text in self.told))

    def test_fails_with_its_last_lines(self):
        with self.assertRaisesRegex(StartupError, "ended with status 3 and these last lines:\n  no such thing"):
            self.run_program("print('no such thing'); raise SystemExit(3)")

    def test_is_ended_when_nobody_listens_any_more(self):
        def report(level, text):
            raise BrokenPipeError

        with self.assertRaises((BrokenPipeError, StartupError)):
            self.run_program("import time; time.sleep(60)", report)


class PipTest(unittest.TestCase):
    def test_serves_other_environments_from_22_3_on(self):
        for version, expected in (("23.0.1", True), ("22.3", True), ("22.2.2", False), ("unknown", False)):
            with self.subTest(version), mock.patch.object(metadata, "version", return_value=version):
                self.assertIs(pip_serves_others(), expected)

    def test_that_is_missing_serves_none(self):
        with mock.patch.object(metadata, "version", side_effect=metadata.PackageNotFoundError("pip")):
            self.assertIs(pip_serves_others(), False)


class CompletenessTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name
        os.mkdir(os.path.join(self.folder, "bin"))
        self.python = os.path.join(self.folder, "bin", "python")
        with open(os.path.join(self.folder, "snakepit-environment.json"), "w", encoding="utf-8") as file:
            file.write("{}")

    def test_needs_a_python_that_runs(self):
        self.assertFalse(is_complete(self.folder))
        os.symlink("/usr/bin/a-python-that-was-removed", self.python)
        self.assertFalse(is_complete(self.folder))
        os.remove(self.python)
        with open(self.python, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nexit 127\n")
        os.chmod(self.python, 0o755)
        self.assertFalse(is_complete(self.folder))
        os.remove(self.python)
        os.symlink(sys.executable, self.python)
        self.assertTrue(is_complete(self.folder))

    def test_needs_what_is_written_last(self):
        os.symlink(sys.executable, self.python)
        os.remove(os.path.join(self.folder, "snakepit-environment.json"))
        self.assertFalse(is_complete(self.folder))


class ContentTest(unittest.TestCase):
    def test_keys_differ_by_interpreter_and_by_platform(self):
        script = (
            "import sys, sysconfig\n%s\n"
            "from snakepit_bridge.environment.content import read_content\n"
            "print(read_content(['a==1']).key)"
        )
        folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

        def key(prologue):
            command = [sys.executable, "-c", script % prologue]
            return subprocess.run(command, env={**os.environ, "PYTHONPATH": folder}, stdout=subprocess.PIPE, check=True).stdout

        keys = {
            key(""),
            key("sysconfig.get_platform = lambda: 'linux-other'"),
            key("sys.version = '3.99'"),
            key("sys.executable = '/opt/python'"),
        }
        self.assertEqual(len(keys), 4)
        self.assertEqual(key(""), key(""))

    def test_keys_follow_a_local_archive(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "told-1.0-py3-none-any.whl")
            keys = set()
            for text in ("one", "two"):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                keys.add(read_content([path]).key)
            self.assertEqual(len(keys), 2)


if __name__ == "__main__":
    unittest.main()
