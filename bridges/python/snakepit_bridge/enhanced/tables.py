"""Makes tables of what callers send."""

from .failures import BAD_ARGUMENT, refusal
from .plugins.pandas import require_pandas

# How each form is read, and which of the reader's options callers may set.
_OPTIONS = {
    "csv": frozenset(
        "sep header names usecols dtype decimal thousands parse_dates na_values nrows skiprows index_col encoding dayfirst".split()
    ),
    "json": frozenset("orient dtype convert_dates lines nrows".split()),
    "records": frozenset(("columns", "index")),
    "parquet": frozenset(("columns",)),
    "columns": frozenset(),
}
_FORMS = "csv, json or parquet (text or bytes), records (a list), columns (a map or a table), or file (a path)"
_ENDINGS = {".csv": "csv", ".json": "json", ".parquet": "parquet"}


def load_table(source, options):
    """The table that a source of one form holds, `{"csv": text}` or such. Raises Refusal for one that is none."""
    pandas = require_pandas()
    if isinstance(source, pandas.DataFrame):
        source = {"columns": source}
    if not isinstance(source, dict) or len(source) != 1:
        raise refusal(BAD_ARGUMENT, "a table is loaded from one of %s" % _FORMS)
    ((form, content),) = source.items()
    content = _binary(content)
    if form == "file":
        form, content = _open_file(content)
    if form not in _OPTIONS:
        raise refusal(BAD_ARGUMENT, "a table is loaded from one of %s, not %.40r" % (_FORMS, form))
    unknown = sorted(set(options) - _OPTIONS[form])
    if unknown:
        known = ", ".join(sorted(_OPTIONS[form])) or "none"
        raise refusal(
            BAD_ARGUMENT, "a table of %s has no option %s; there are: %s" % (form, ", ".join(map(repr, unknown)), known)
        )
    return _READERS[form](pandas, content, options)


def _binary(content):
    return bytes(content) if isinstance(content, (bytearray, memoryview)) else content


def _open_file(path):
    import os

    if not isinstance(path, str) or os.path.splitext(path)[1] not in _ENDINGS:
        raise refusal(BAD_ARGUMENT, "a table's file ends with %s, as %.200r does not" % (", ".join(_ENDINGS), path))
    with open(path, "rb") as file:  # which the guard lets pass in the folders that may be read alone
        return _ENDINGS[os.path.splitext(path)[1]], file.read()


def _stream(content):
    from io import BytesIO, StringIO

    if isinstance(content, bytes):
        return BytesIO(content)
    if isinstance(content, str):
        return StringIO(content)
    raise refusal(
        BAD_ARGUMENT, "a table's content is text or bytes, not %s; a path is given as {'file': path}" % type(content).__name__
    )


_READERS = {
    "csv": lambda pandas, content, options: pandas.read_csv(_stream(content), **options),
    "json": lambda pandas, content, options: pandas.read_json(_stream(content), **options),
    "parquet": lambda pandas, content, options: pandas.read_parquet(_stream(content), **options),
    "records": lambda pandas, content, options: pandas.DataFrame.from_records(content, **options),
    "columns": lambda pandas, content, options: pandas.DataFrame(content),
}
