import type { JsonSchema, Subschema } from '../../codec/index.js';
import { accepts } from './accepts.js';
import { canonicalText } from './canonical.js';
import type { CommandContract } from './contract-lines.js';
import { isObject, typeText } from './type-text.js';

/** One way in which a worker differs from what its client was written from. */
export interface Change {
  /** Whether code that was right before may be wrong now. */
  readonly isBreaking: boolean;
  readonly text: string;
}

/** What has changed, breaking changes first. */
export function driftOf(before: readonly CommandContract[], now: readonly CommandContract[]): Change[] {
  const old = new Map(before.map((contract) => [contract.name, contract]));
  const current = new Map(now.map((contract) => [contract.name, contract]));
  const changes: Change[] = [];
  for (const [name, contract] of old) {
    const other = current.get(name);
    if (other === undefined) changes.push(breaking(`${name}: the command is gone`));
    else changes.push(...changesOf(contract, other));
  }
  for (const name of current.keys()) if (!old.has(name)) changes.push(compatible(`${name}: the command is new`));
  return [...changes.filter(({ isBreaking }) => isBreaking), ...changes.filter(({ isBreaking }) => !isBreaking)];
}

function changesOf(before: CommandContract, now: CommandContract): Change[] {
  const { name } = now;
  const changes: Change[] = [];
  if (before.kind !== now.kind) changes.push(breaking(`${name}: was a ${before.kind}, is a ${now.kind}`));
  changes.push(...argumentChanges(name, before.schema, now.schema));
  const result = resultChange(now.kind === 'stream' ? 'an item' : 'the result', before.result, now.result);
  if (result !== undefined) changes.push({ ...result, text: `${name}: ${result.text}` });
  if (before.doc !== now.doc) changes.push(compatible(`${name}: its description has changed`));
  if (canonicalText(before.positional ?? []) !== canonicalText(now.positional ?? [])) {
    changes.push(breaking(`${name}: the order of positional arguments was ${listed(before)}, is ${listed(now)}`));
  }
  return changes;
}

function listed({ positional = [] }: CommandContract): string {
  return positional.length === 0 ? 'none' : positional.join(', ');
}

function argumentChanges(name: string, before: JsonSchema | undefined, now: JsonSchema | undefined): Change[] {
  if (isSame(before, now)) return [];
  if (now === undefined) return [compatible(`${name}: no longer says what it takes`)];
  if (before === undefined) return [breaking(`${name}: says what it takes, and refuses all else`)];
  if (!isObject(before) || !isObject(now)) {
    const takesAll = accepts({ schema: now, root: now }, { schema: before, root: before });
    return [{ isBreaking: !takesAll, text: `${name}: takes ${shown(now)}; took ${shown(before)}` }];
  }
  const names = new Set([...Object.keys(before.properties ?? {}), ...Object.keys(now.properties ?? {})]);
  const changes = [...names].flatMap((argument) => argumentChange(name, argument, before, now));
  if (changes.length > 0) return changes;
  const takesAll = accepts({ schema: now, root: now }, { schema: before, root: before });
  return [
    { isBreaking: !takesAll, text: `${name}: takes ${takesAll ? 'more' : 'less'} than before beside its arguments` },
  ];
}

function argumentChange(name: string, argument: string, before: JsonSchema, now: JsonSchema): Change[] {
  const [old, current] = [own(before, argument), own(now, argument)];
  const wasRequired = before.required?.includes(argument) ?? false;
  const isRequired = now.required?.includes(argument) ?? false;
  const what = `${name}: the argument '${argument}'`;
  if (current === undefined) {
    const isTaken = now.additionalProperties !== false;
    return [{ isBreaking: !isTaken, text: `${what} is gone` }];
  }
  if (old === undefined) return isRequired ? [breaking(`${what} is new and required`)] : [compatible(`${what} is new`)];
  const changes: Change[] = [];
  if (isRequired && !wasRequired) changes.push(breaking(`${what} is required now`));
  if (!isRequired && wasRequired) changes.push(compatible(`${what} need not be given any more`));
  if (accepts({ schema: current, root: now }, { schema: old, root: before })) {
    const isOther = !accepts({ schema: old, root: before }, { schema: current, root: now });
    if (isOther) changes.push(compatible(`${what} takes more: ${difference(current, old)}`));
    else if (!isSame(closure(old, before), closure(current, now)))
      changes.push(compatible(`${what} is described otherwise`));
  } else {
    changes.push(breaking(`${what} takes less, or something else: ${difference(current, old)}`));
  }
  return changes;
}

function resultChange(what: string, before: JsonSchema | undefined, now: JsonSchema | undefined): Change | undefined {
  if (isSame(before, now)) return undefined;
  if (before === undefined) return compatible(`${what} is declared now: ${shown(now!)}`);
  if (now === undefined) return breaking(`${what} is no longer declared; it was ${shown(before)}`);
  const isKept = accepts({ schema: before, root: before }, { schema: now, root: now });
  if (!isKept) return breaking(`${what} is another: ${difference(now, before)}`);
  const isOther = !accepts({ schema: now, root: now }, { schema: before, root: before });
  return compatible(isOther ? `${what} is narrower: ${difference(now, before)}` : `${what} is described otherwise`);
}

function own({ properties = {} }: JsonSchema, name: string): Subschema | undefined {
  return Object.hasOwn(properties, name) ? properties[name] : undefined;
}

/** Where the types read alike, limits differ, or what a name stands for. */
function difference(now: Subschema, before: Subschema): string {
  const [is, was] = [shown(now), shown(before)];
  return is === was ? `${is}, whose members or limits have changed` : `${is}; was ${was}`;
}

function shown(schema: Subschema): string {
  return typeText(schema, (reference) =>
    reference === '#' ? 'itself' : reference.slice(reference.lastIndexOf('/') + 1),
  );
}

function closure(schema: Subschema, { $defs, definitions }: JsonSchema): unknown {
  return [schema, $defs ?? null, definitions ?? null];
}

function isSame(a: unknown, b: unknown): boolean {
  return canonicalText(a ?? null) === canonicalText(b ?? null);
}

function breaking(text: string): Change {
  return { isBreaking: true, text };
}

function compatible(text: string): Change {
  return { isBreaking: false, text };
}
