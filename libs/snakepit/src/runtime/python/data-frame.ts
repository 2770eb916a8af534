import { describeValue, SnakepitError } from '../../core/index.js';
import { dtypeOf, plainInteger } from './nd-array.js';

const NS_PER_MS = 1_000_000n;
/** What numpy stores for a date that is missing. */
const NOT_A_TIME = -(2n ** 63n);

export type ColumnKind = 'number' | 'bool' | 'datetime' | 'timedelta' | 'category' | 'object';

/** @internal A column as the wire carries it. */
export interface WireColumn {
  readonly kind: ColumnKind;
  readonly data: unknown;
  readonly nulls?: unknown;
  readonly categories?: unknown;
  readonly zone?: string;
}

/** @internal */
export interface WireFrame {
  readonly rows: number;
  readonly columns: readonly (WireColumn & { readonly name: unknown })[];
  readonly index?: WireColumn;
}

type Numbers =
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/**
 * A column of a table. `data` holds numbers as they are in pandas, `bool` and the codes of categories as small integers, dates and durations as nanoseconds (a BigInt64Array), and
 * anything else as a list.
 */
export class Column {
  constructor(
    readonly kind: ColumnKind,
    readonly data: Numbers | readonly unknown[],
    /** 1 for each value that is missing, where `data` cannot say so. */
    readonly nulls?: Uint8Array | undefined,
    readonly categories?: readonly unknown[] | undefined,
    /** Of dates with a time zone; `data` is UTC then. */
    readonly zone?: string | undefined,
  ) {}

  get length(): number {
    return this.data.length;
  }

  /** One value: number, boolean, Date, milliseconds of a duration, text, …; null where it is missing, as NaN stays NaN. */
  at(row: number): unknown {
    if (row < 0 || row >= this.length || this.nulls?.[row]) return null;
    const value = this.data[row];
    switch (this.kind) {
      case 'bool':
        return Number(value) !== 0;
      case 'datetime':
        return value === NOT_A_TIME ? null : new Date(Number((value as bigint) / NS_PER_MS));
      case 'timedelta':
        return value === NOT_A_TIME ? null : Number(value) / Number(NS_PER_MS);
      case 'category':
        return (value as number) < 0 ? null : this.categories?.[value as number];
      case 'number':
        return typeof value === 'bigint' ? plainInteger(value) : value;
      case 'object':
        return value;
    }
  }

  toArray(): unknown[] {
    return Array.from({ length: this.length }, (_, row) => this.at(row));
  }

  /** What a column may be given as. @throws SnakepitError INVALID_ARGUMENTS */
  static from(values: ColumnValues): Column {
    if (values instanceof Column) return values;
    if (ArrayBuffer.isView(values)) {
      if (dtypeOf(values) === undefined) throw invalid(`a column cannot be ${describeValue(values)}`);
      return new Column('number', values);
    }
    if (!Array.isArray(values)) throw invalid(`a column is a list or a typed array, not ${describeValue(values)}`);
    return fromList(values as readonly unknown[]);
  }

  /** @internal */
  static fromWire(wire: WireColumn, decode: (value: unknown) => unknown): Column {
    const { kind, data, nulls, categories, zone } = wire;
    const values = kind === 'object' || kind === 'category' ? (kind === 'object' ? decode(data) : data) : data;
    return new Column(
      kind,
      values as Numbers | readonly unknown[],
      nulls as Uint8Array | undefined,
      categories === undefined ? undefined : (decode(categories) as readonly unknown[]),
      zone,
    );
  }

  /** @internal */
  toWire(encode: (value: unknown) => unknown): WireColumn {
    const { kind, data, nulls, categories, zone } = this;
    return {
      kind,
      data: kind === 'object' ? encode(data) : data,
      ...(nulls && { nulls }),
      ...(categories && { categories }),
      ...(zone !== undefined && { zone }),
    };
  }
}

export type ColumnValues = Column | Numbers | readonly unknown[];

/**
 * A table of pandas: columns by name, whose numbers travel and stay as typed arrays.
 *
 * @example new DataFrame({ city: ['Bern', 'Basel'], people: Int32Array.of(134_794, 178_120), seen: [new Date(), null] })
 */
export class DataFrame {
  readonly rowCount: number;
  readonly #columns: ReadonlyMap<string, Column>;

  /** @throws SnakepitError INVALID_ARGUMENTS for columns of different lengths, or that are none. */
  constructor(
    columns: Readonly<Record<string, ColumnValues>> | ReadonlyMap<string, ColumnValues>,
    /** The labels of the rows, where they are not their numbers. */
    readonly index?: Column | undefined,
  ) {
    const entries = columns instanceof Map ? [...columns] : Object.entries(columns as Record<string, ColumnValues>);
    this.#columns = new Map(entries.map(([name, values]) => [name, Column.from(values)]));
    const [first] = this.#columns.values();
    this.rowCount = first?.length ?? index?.length ?? 0;
    for (const [name, { length }] of this.#columns) {
      if (length === this.rowCount) continue;
      throw invalid(`column '${name}' has ${length} values, and those before it have ${this.rowCount}`);
    }
  }

  /** A table of objects that have the same members; what one lacks is null. */
  static fromRecords(records: readonly Readonly<Record<string, unknown>>[]): DataFrame {
    const names = new Set(records.flatMap((record) => Object.keys(record)));
    return new DataFrame(
      new Map(Array.from(names, (name) => [name, records.map((record) => record[name] ?? null)] as const)),
    );
  }

  get columnNames(): readonly string[] {
    return [...this.#columns.keys()];
  }

  /** @throws SnakepitError INVALID_ARGUMENTS where there is no column of that name. */
  column(name: string): Column {
    const column = this.#columns.get(name);
    if (column !== undefined) return column;
    throw invalid(`the table has no column '${name}'; it has ${this.columnNames.join(', ')}`);
  }

  row(at: number): Record<string, unknown> {
    return Object.fromEntries(Array.from(this.#columns, ([name, column]) => [name, column.at(at)]));
  }

  toRecords(): Record<string, unknown>[] {
    return Array.from({ length: this.rowCount }, (_, at) => this.row(at));
  }

  /** @internal */
  toWire(encode: (value: unknown) => unknown): WireFrame {
    const columns = Array.from(this.#columns, ([name, column]) => ({ name, ...column.toWire(encode) }));
    return { rows: this.rowCount, columns };
  }

  /** @internal */
  static fromWire({ columns, index }: WireFrame, decode: (value: unknown) => unknown): DataFrame {
    const named = columns.map((column) => [nameOf(decode(column.name)), Column.fromWire(column, decode)] as const);
    return new DataFrame(new Map(named), index && Column.fromWire(index, decode));
  }
}

/** A column of pandas by itself, with its name and the labels of its rows. */
export class Series {
  constructor(
    readonly name: string | undefined,
    readonly values: Column,
    readonly index?: Column | undefined,
  ) {}

  toArray(): unknown[] {
    return this.values.toArray();
  }

  /** Values by the text of their labels. */
  toObject(): Record<string, unknown> {
    return Object.fromEntries(
      this.toArray().map((value, row) => [nameOf(this.index === undefined ? row : this.index.at(row)), value]),
    );
  }

  /** @internal */
  static fromWire(
    { name, index, ...column }: WireColumn & { readonly name: unknown; readonly index?: WireColumn },
    decode: (value: unknown) => unknown,
  ): Series {
    const told = decode(name);
    return new Series(
      told === null ? undefined : nameOf(told),
      Column.fromWire(column, decode),
      index && Column.fromWire(index, decode),
    );
  }
}

/** Lists of one kind become columns of numbers, booleans or dates; others stay lists. */
function fromList(values: readonly unknown[]): Column {
  const known = values.filter((value) => value !== null && value !== undefined);
  const isAll = (accepts: (value: unknown) => boolean): boolean => known.length > 0 && known.every(accepts);
  if (isAll((value) => typeof value === 'number')) {
    return new Column(
      'number',
      Float64Array.from(values, (value) => (value ?? Number.NaN) as number),
    );
  }
  if (isAll((value) => value instanceof Date)) {
    const toNs = (value: unknown): bigint => (value instanceof Date ? BigInt(value.getTime()) * NS_PER_MS : NOT_A_TIME);
    return new Column('datetime', BigInt64Array.from(values, toNs), undefined, undefined, 'UTC');
  }
  if (isAll((value) => typeof value === 'bigint') && known.length === values.length) {
    return new Column('number', BigInt64Array.from(values as readonly bigint[]));
  }
  if (isAll((value) => typeof value === 'boolean')) {
    const nulls =
      known.length < values.length ? Uint8Array.from(values, (value) => ((value ?? null) === null ? 1 : 0)) : undefined;
    return new Column(
      'bool',
      Uint8Array.from(values, (value) => (value === true ? 1 : 0)),
      nulls,
    );
  }
  return new Column('object', values);
}

/** The text of a name or label. */
function nameOf(value: unknown): string {
  return typeof value === 'string' ? value : value instanceof Date ? value.toISOString() : JSON.stringify(value);
}

function invalid(reason: string): SnakepitError {
  return new SnakepitError('INVALID_ARGUMENTS', { reason });
}
