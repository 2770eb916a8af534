"""pandas: tables travel by their columns, numbers as binary."""

from .. import wire_tags as tags
from ..failures import BAD_ARGUMENT, refusal
from ..plugin import Plugin, without_special
from .numpy import array_from_wire, elements_of

_NUMBERS = "iuf"


class PandasPlugin(Plugin):
    """Tables, columns and scalars of pandas."""

    package = "pandas"
    denied = frozenset(
        """HDFStore ExcelFile ExcelWriter eval query read_clipboard read_gbq read_hdf read_pickle read_sql read_sql_query read_sql_table
        from_dataframe interchange to_clipboard to_gbq to_hdf to_pickle to_sql show_versions pipe plot hist boxplot plotting style""".split()
    )
    dispatchers = frozenset("agg aggregate apply applymap map transform pivot_table crosstab".split())

    def serialize(self, value, encoder):
        import pandas

        if isinstance(value, pandas.DataFrame):
            return {tags.FRAME: frame_to_wire(value, encoder)}
        if isinstance(value, pandas.Series):
            return {
                tags.SERIES: {"name": encoder.encode(value.name), **column_to_wire(value, encoder), **_index_of(value, encoder)}
            }
        if isinstance(value, pandas.Index):
            return encoder.encode(value.tolist())
        if value is pandas.NaT or value is pandas.NA:
            return None
        if isinstance(value, pandas.Timestamp):
            return encoder.encode(value.to_pydatetime(warn=False))
        return NotImplemented

    def size_of(self, value):
        measure = getattr(type(value), "memory_usage", None)
        if measure is None:
            return None
        used = value.memory_usage(deep=False)
        return int(used.sum()) if hasattr(used, "sum") else int(used)

    def harden(self):
        from pandas.core.generic import NDFrame

        without_special(NDFrame)

    def configure(self, settings):
        import pandas

        for name, setting in settings.items():
            if not name.startswith(("display.", "mode.")):
                raise refusal(BAD_ARGUMENT, "pandas is configured by its options 'display.…' and 'mode.…', not %.60r" % name)
            pandas.set_option(name, setting)
        return sorted(settings)


def frame_to_wire(frame, encoder):
    """The columns of a table, and its index where that is more than the rows' numbers."""
    names = [encoder.encode(name if isinstance(name, (str, int)) else str(name)) for name in frame.columns]
    columns = [{"name": name, **column_to_wire(frame.iloc[:, at], encoder)} for at, name in enumerate(names)]
    return {"rows": len(frame), "columns": columns, **_index_of(frame, encoder)}


def column_to_wire(column, encoder):
    """A column's kind and values; `nulls` marks by 1 what is missing where the values cannot say so."""
    import pandas

    dtype = column.dtype
    if isinstance(dtype, pandas.CategoricalDtype):
        codes = column.cat.codes.to_numpy(dtype="int32")
        return {"kind": "category", "data": codes, "categories": encoder.encode(column.cat.categories.tolist())}
    kind = getattr(dtype, "kind", "O")
    if getattr(dtype, "tz", None) is not None:
        return {
            "kind": "datetime",
            "zone": str(dtype.tz),
            "data": elements_of(column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[ns]")),
        }
    if kind == "M":
        return {"kind": "datetime", "data": elements_of(column.to_numpy(dtype="datetime64[ns]"))}
    if kind == "m":
        return {"kind": "timedelta", "data": elements_of(column.to_numpy(dtype="timedelta64[ns]"))}
    if kind == "b" or kind in _NUMBERS:
        return _numbers(column, kind)
    return {
        "kind": "object",
        "data": [None if missing else encoder.encode(item) for item, missing in zip(column.tolist(), column.isna().tolist())],
    }


def _numbers(column, kind):
    import numpy

    is_nullable = not isinstance(column.dtype, numpy.dtype)
    nulls = column.isna().to_numpy(dtype="uint8") if is_nullable else None
    name = str(getattr(column.dtype, "numpy_dtype", column.dtype))
    values = column.to_numpy(dtype=name, na_value=0) if is_nullable else column.to_numpy()
    if name == "float16":
        values = values.astype("float32")
    told = {"kind": "bool", "data": values.astype("uint8")} if kind == "b" else {"kind": "number", "data": elements_of(values)}
    return {**told, "nulls": nulls} if nulls is not None and nulls.any() else told


def _index_of(value, encoder):
    import pandas

    index = value.index
    if isinstance(index, pandas.RangeIndex) and index.start == 0 and index.step == 1:
        return {}
    if isinstance(index, pandas.MultiIndex):
        return {"index": {"kind": "object", "data": [encoder.encode(list(each)) for each in index.tolist()]}}
    return {"index": column_to_wire(index.to_series(), encoder)}


def frame_from_wire(content):
    """The table that a host sent."""
    pandas = require_pandas()
    columns = {str(column["name"]): _column_from_wire(pandas, column) for column in content["columns"]}
    if len(columns) < len(content["columns"]):
        raise refusal(BAD_ARGUMENT, "two columns of the table have the same name")
    return pandas.DataFrame(columns)


def _column_from_wire(pandas, column):
    import numpy

    kind, data, nulls = column["kind"], column["data"], column.get("nulls")
    if kind == "object":
        return pandas.Series(data, dtype=None if data else object)
    if kind == "category":
        return pandas.Series(pandas.Categorical.from_codes(numpy.asarray(data), categories=column["categories"]))
    values = numpy.array(numpy.frombuffer(data, dtype="uint8") if isinstance(data, bytes) else numpy.asarray(data))
    if kind in ("datetime", "timedelta"):
        values = values.view("datetime64[ns]" if kind == "datetime" else "timedelta64[ns]")
        series = pandas.Series(values)
        return series.dt.tz_localize("UTC").dt.tz_convert(column["zone"]) if column.get("zone") else series
    if kind == "bool":
        values = values.astype("bool")
    elif kind != "number":
        raise refusal(
            BAD_ARGUMENT, "a column's kind is number, bool, datetime, timedelta, category or object, not %.40r" % (kind,)
        )
    series = pandas.Series(values)
    if nulls is None:
        return series
    missing = numpy.frombuffer(nulls, dtype="uint8").astype("bool")
    nullable = {"bool": "boolean"}.get(
        values.dtype.name, values.dtype.name.replace("uint", "UInt").replace("int", "Int").replace("UInt", "UInt")
    )
    return series.astype(nullable.replace("float", "Float")).mask(missing)


def require_pandas():
    """The module pandas. Raises Refusal where it is not installed."""
    try:
        import pandas
    except ImportError:
        raise refusal(
            BAD_ARGUMENT, "tables need pandas, which this worker's Python has not; name it in the option `requirements`"
        ) from None
    return pandas


PLUGIN = PandasPlugin()
__all__ = ["PLUGIN", "array_from_wire", "column_to_wire", "frame_from_wire", "frame_to_wire", "require_pandas"]
