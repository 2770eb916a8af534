import { SnakepitError } from '../../core/index.js';

/** Names a stored object, or what an attribute path beginning at one leads to: `ref('model')`, `ref('df.columns')`. */
export class PythonRef {
  constructor(readonly path: string) {
    if (typeof path === 'string' && /^[A-Za-z_]\w*(\.\w+)*$/.test(path)) return;
    throw new SnakepitError('INVALID_ARGUMENTS', {
      reason: `${JSON.stringify(path)} names no stored object; a reference is a dotted name such as 'model' or 'df.columns'`,
    });
  }

  /** A member of what this names, as a target or an argument. */
  member(name: string): PythonRef {
    return new PythonRef(`${this.path}.${name}`);
  }
}

/** A stored object as an argument, wherever it stands in there, or as the target of a call. */
export function ref(path: string): PythonRef {
  return new PythonRef(path);
}

/** What is told of an object that a session stores; it may be used as a reference to it. */
export class StoredObject extends PythonRef {
  /** The full name of its class. */
  readonly type: string;
  /** Python's own text for it, cut to 500 characters. */
  readonly repr: string;
  /** What it takes, as far as Python can tell. */
  readonly bytes: number;
  /** Of arrays and tables. */
  readonly shape: readonly number[] | undefined;

  constructor(told: StoredDescription) {
    super(told.name);
    this.type = told.type;
    this.repr = told.repr;
    this.bytes = told.bytes;
    this.shape = told.shape;
  }

  get name(): string {
    return this.path;
  }
}

/** @internal A stored object as it is told on the wire. */
export interface StoredDescription {
  readonly name: string;
  readonly type: string;
  readonly repr: string;
  readonly bytes: number;
  readonly shape?: readonly number[];
}

/** A result that has no form outside of Python. */
export class PythonObject {
  /** The full name of its class. */
  readonly type: string;
  /** Python's own text for it, cut to 500 characters. */
  readonly repr: string;
  /** Names it for a while, so that it can be stored: `session.store('name', object)`; absent outside of sessions. */
  readonly ref: PythonRef | undefined;
  /** What a framework's plugin tells besides. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(type: string, repr: string, path: string | undefined, details: Readonly<Record<string, unknown>>) {
    this.type = type;
    this.repr = repr;
    this.ref = path === undefined ? undefined : new PythonRef(path);
    this.details = details;
  }
}

/** A tuple as an argument; lists and tuples both come back as arrays. */
export class PythonTuple {
  constructor(readonly items: readonly unknown[]) {}
}

export function tuple(...items: readonly unknown[]): PythonTuple {
  return new PythonTuple(items);
}

/** A complex number. */
export class PythonComplex {
  constructor(
    readonly real: number,
    readonly imaginary: number,
  ) {}
}

/** A `decimal.Decimal` as an argument; it comes back as its text. */
export class PythonDecimal {
  constructor(readonly text: string) {}
}
