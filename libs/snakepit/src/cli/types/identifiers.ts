/** Names that the file itself uses, or that would hide what its types are made of. */
const TAKEN = [
  'ArrayBufferView',
  'BigInt64Array',
  'BigUint64Array',
  'Command',
  'DataView',
  'Date',
  'Float32Array',
  'Float64Array',
  'Int16Array',
  'Int32Array',
  'Int8Array',
  'Object',
  'PoolClient',
  'PoolCommand',
  'Record',
  'StreamCommand',
  'Uint16Array',
  'Uint32Array',
  'Uint8Array',
  'Uint8ClampedArray',
];

/** Members that Nest or the language call by themselves: `@PoolCommand` refuses them. */
const RESERVED_MEMBERS = [
  'constructor',
  'then',
  'onModuleInit',
  'onApplicationBootstrap',
  'onModuleDestroy',
  'beforeApplicationShutdown',
  'onApplicationShutdown',
];

/** Gives names that are identifiers and differ from one another. */
export class Names {
  readonly #taken: Set<string>;

  private constructor(taken: readonly string[]) {
    this.#taken = new Set(taken);
  }

  static ofTypes(client: string): Names {
    return new Names([...TAKEN, client]);
  }

  static ofMembers(): Names {
    return new Names(RESERVED_MEMBERS);
  }

  /** The name itself where it is free, else with the first number that makes it so. */
  take(wanted: string): string {
    let name = wanted;
    for (let count = 2; this.#taken.has(name); count += 1) name = `${wanted}${count}`;
    this.#taken.add(name);
    return name;
  }

  isFree(name: string): boolean {
    return !this.#taken.has(name);
  }
}

/** `running_totals` as `RunningTotals`. */
export function pascalCase(name: string): string {
  const joined = words(name).map(capitalized).join('');
  return isIdentifier(joined) ? joined : `_${joined}`;
}

/** `running_totals` as `runningTotals`; what is an identifier in that case stays as it is. */
export function camelCase(name: string): string {
  if (isIdentifier(name) && !name.includes('_')) return name;
  const [first = '', ...others] = words(name);
  const joined = [first.charAt(0).toLowerCase() + first.slice(1), ...others.map(capitalized)].join('');
  return isIdentifier(joined) ? joined : `_${joined}`;
}

export function isIdentifier(name: string): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(name);
}

function words(name: string): string[] {
  return name.split(/[^A-Za-z0-9$]+/).filter((word) => word !== '');
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
