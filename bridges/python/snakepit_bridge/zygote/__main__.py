"""Runs a zygote: `python -m snakepit_bridge.zygote --module report.py --preload numpy`."""

import os
import sys

from ..process import complain, prepare_process

USAGE = """usage: python -m snakepit_bridge.zygote [--preload NAME]... [--preload-module] [--threads] [--enhanced JSON]
       --module FILE.py|NAME

Imports modules once and forks workers that serve the commands of --module to a host of nestjs-snakepit, which starts
this program by itself. Without a host it only imports, which shows what keeps it from starting.
--preload is a module to import; --preload-module imports that of the commands as well.
--threads and --enhanced are as for a worker."""

_WRONG_USAGE = 2


def main(arguments=None):
    """Fork workers until the host is gone; returns in the workers, when they have served."""
    options = _read_options(sys.argv[1:] if arguments is None else arguments)
    prepare_process()
    descriptor = os.environ.pop("SNAKEPIT_FD", "")
    door = os.environ.pop("SNAKEPIT_DOOR", "")
    os.environ.pop("SNAKEPIT_PROTOCOL", None)
    arena_descriptor = os.environ.pop("SNAKEPIT_ARENA_FD", "")
    from .preload import Preload

    preload = Preload(
        options["--preload"], options["--module"], options["--preload-module"], options["--enhanced"], options["--threads"]
    )
    if not descriptor:
        preload.run()
        return

    from ..v2.server import serve_v2
    from .arena_place import ArenaPlace
    from .birth import become_worker
    from .control import Control
    from .initial_environment import InitialMark
    from .server import Zygote

    initial_mark = InitialMark()
    arena = ArenaPlace(int(arena_descriptor)) if arena_descriptor else None
    # A worker does not let go of it: taking it apart would cost pages of its own.
    zygote = Zygote(Control(int(descriptor)), door, preload)
    order = zygote.serve()
    become_worker(order, door, arena, initial_mark)
    serve_v2(order.descriptor, preload.load_manifest)


def _read_options(arguments):
    options = {"--module": None, "--preload": [], "--preload-module": False, "--threads": False, "--enhanced": None}
    rest = list(arguments)
    while rest:
        name = rest.pop(0)
        if name in ("-h", "--help"):
            print(USAGE)
            raise SystemExit(0)
        if name not in options:
            _fail("unknown argument %r" % name)
        if name in ("--preload-module", "--threads"):
            options[name] = True
        elif not rest:
            _fail("%s needs a value" % name)
        elif name == "--preload":
            options[name].append(rest.pop(0))
        else:
            options[name] = rest.pop(0)
    if not options["--module"]:
        _fail("--module is required")
    return options


def _fail(reason):
    complain("%s\n%s" % (reason, USAGE))
    raise SystemExit(_WRONG_USAGE)


if __name__ == "__main__":
    main()
