"""What no allow-list can allow: names and modules through which anything could be run."""

# Modules that run code given to them as text or bytes, start programs, or open up the interpreter.
MODULES = frozenset("""
    __main__ _ctypes _io _pickle _posixsubprocess _thread ast asyncio atexit bdb builtins cProfile cffi cloudpickle code codecs
    codeop concurrent copyreg ctypes dill dis distutils doctest ensurepip faulthandler fileinput ftplib gc glob http imp importlib
    inspect io linecache logging marshal mmap multiprocessing nt operator os pathlib pdb pickle pickletools pip pkg_resources
    pkgutil posix posixpath profile pty pydoc resource runpy sched setuptools shelve shutil signal site smtplib snakepit_bridge
    socket socketserver sqlite3 ssl subprocess symtable sys sysconfig tempfile test threading timeit trace tracemalloc types
    typing unittest urllib venv webbrowser weakref winreg xmlrpc zipapp zipimport
    """.split())

# Parts of a module's name behind which packages keep what runs code, compiles, or unpickles.
SEGMENTS = frozenset(("conftest", "ctypeslib", "distutils", "externals", "f2py", "testing", "tests", "test"))

# Members that are never read, whatever they belong to: they evaluate text, or lead from an object to the interpreter.
NAMES = frozenset("""
    Formatter ag_code ag_frame breakpoint builtins co_code co_consts cr_code cr_frame delattr eval exec execfile f_back
    f_builtins f_code f_globals f_locals format format_map func_globals get_field get_type_hints getattr gi_code gi_frame gi_yieldfrom
    globals import_module import_string input locals mro open parse_expr popen read_array setattr sympify system tb_frame tb_next test
    vars vformat
    """.split())

# The only members with two underscores that may be asked for, as the last of a path.
SPECIAL_METHODS = frozenset(("__call__", "__contains__", "__getitem__", "__len__"))
# Beside them, of a stored object itself.
CHANGING_METHODS = frozenset(("__setitem__",))


def is_forbidden_name(name):
    """Tell whether a member of that name is never read."""
    return name in NAMES or "pickle" in name.lower()


def is_forbidden_module(name):
    """Tell whether nothing of the module of that name may be used, whatever the allow-list says."""
    parts = name.split(".")
    return (
        parts[0] in MODULES
        or (parts[0][:1] == "_" and parts[0][1:] in MODULES)
        or any(part in SEGMENTS or "pickle" in part for part in parts[1:])
    )
