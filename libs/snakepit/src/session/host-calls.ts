import { describeValue, isPlainObject, SnakepitError } from '../core/index.js';
import { snapshot, withKey, withoutKey } from './data-map.js';
import type { SessionOptions } from './options.js';
import type { SessionService } from './session-service.js';
import type { ReadOutcome, WriteOutcome } from './store.js';

/** Host calls that {@link SessionHostCalls} answers. */
export const SESSION_METHODS = ['session.read', 'session.write', 'session.delete', 'session.keys'] as const;
export type SessionMethod = (typeof SESSION_METHODS)[number];

const MAPS = ['metadata', 'programs', 'globals'] as const;
type SessionMap = Exclude<(typeof MAPS)[number], 'globals'>;

/** What a host call is about; `undefined` stands for the map of global programs. */
interface Target {
  readonly id: string;
  readonly map: SessionMap;
}

/** Checked arguments of any of the methods. */
class HostCallArguments {
  constructor(
    readonly method: SessionMethod,
    private readonly args: unknown,
  ) {
    if (!isPlainObject(args)) this.#refuse('args', args, 'a map');
  }

  target(sessionId: string | undefined): Target | undefined {
    const map = this.#member('map');
    if (map === 'globals') return undefined;
    if (map !== 'metadata' && map !== 'programs') this.#refuse('args.map', map, `one of ${MAPS.join(', ')}`);
    if (sessionId !== undefined) return { id: sessionId, map };
    throw new SnakepitError('INVALID_ARGUMENTS', {
      command: this.method,
      path: 'args.map',
      reason: `the call belongs to no session, so it has no '${map}'; run it in a session or use 'globals'.`,
    });
  }

  get key(): string {
    const key = this.#member('key');
    return typeof key === 'string' ? key : this.#refuse('args.key', key, 'a string');
  }

  get value(): unknown {
    const value = this.#member('value');
    return value === undefined ? this.#refuse('args.value', value, 'any value') : value;
  }

  get revision(): number | undefined {
    const revision = this.#member('revision') ?? undefined;
    if (revision === undefined) return undefined;
    const isValid = Number.isSafeInteger(revision) && (revision as number) >= 0;
    return isValid ? (revision as number) : this.#refuse('args.revision', revision, 'an integer from 0, or null');
  }

  #member(name: string): unknown {
    const args = this.args as Record<string, unknown>;
    return Object.hasOwn(args, name) ? args[name] : undefined;
  }

  #refuse(path: string, given: unknown, allowed: string): never {
    const reason = `'${path}' is ${describeValue(given)}; allowed is ${allowed}.`;
    throw new SnakepitError('INVALID_ARGUMENTS', { command: this.method, path, reason });
  }
}

/**
 * Answers what workers ask about session data.
 *
 * A session whose id a call uses comes into being with the first host call about it, read or write, with the default
 * options; the maps of a session that was deleted while a call runs start empty again.
 */
export class SessionHostCalls {
  constructor(
    private readonly sessions: SessionService,
    private readonly options: Pick<SessionOptions, 'maxValueBytes'>,
  ) {}

  /**
   * The result of a host call made on behalf of a call in session `sessionId`, or in none.
   *
   * @throws SnakepitError UNKNOWN_COMMAND for a method that is not one of {@link SESSION_METHODS}, INVALID_ARGUMENTS with the
   * path of what is wrong, SESSION_LIMIT when the store is full.
   */
  async answer(method: string, args: unknown, sessionId: string | undefined): Promise<unknown> {
    const known = SESSION_METHODS.find((each) => each === method);
    if (known === undefined) throw new SnakepitError('UNKNOWN_COMMAND', { command: method, known: SESSION_METHODS });
    const checked = new HostCallArguments(known, args);
    const target = checked.target(sessionId);
    switch (known) {
      case 'session.read':
        return this.#read(target, checked.key);
      case 'session.write':
        return this.#write(target, checked);
      case 'session.delete':
        return this.#delete(target, checked.key, checked.revision);
      case 'session.keys':
        return this.#keys(target);
    }
  }

  async #read(target: Target | undefined, key: string): Promise<ReadOutcome> {
    if (target === undefined) return this.sessions.readGlobal(key);
    const { [target.map]: map, revision } = await this.sessions.upsert(target.id, nothing);
    return Object.hasOwn(map, key)
      ? { found: true, value: map[key], revision }
      : { found: false, value: null, revision };
  }

  async #write(target: Target | undefined, args: HostCallArguments): Promise<WriteOutcome> {
    const { key, revision, method: command } = args;
    const value = snapshot(args.value, { path: 'args.value', command, maxValueBytes: this.options.maxValueBytes });
    if (target === undefined) return this.sessions.writeGlobal(key, value, revision);
    let written = false;
    const session = await this.sessions.upsert(target.id, (current) => {
      written = revision === undefined || revision === current.revision;
      return written ? { [target.map]: withKey(current[target.map], key, value) } : undefined;
    });
    return { written, revision: session.revision };
  }

  async #delete(target: Target | undefined, key: string, revision: number | undefined): Promise<WriteOutcome> {
    if (target === undefined) return this.sessions.deleteGlobal(key, revision);
    let written = false;
    const session = await this.sessions.upsert(target.id, (current) => {
      const map = current[target.map];
      written = Object.hasOwn(map, key) && (revision === undefined || revision === current.revision);
      return written ? { [target.map]: withoutKey(map, key) } : undefined;
    });
    return { written, revision: session.revision };
  }

  async #keys(target: Target | undefined): Promise<readonly string[]> {
    if (target === undefined) return this.sessions.listGlobalPrograms();
    return Object.keys((await this.sessions.upsert(target.id, nothing))[target.map]);
  }
}

const nothing = (): undefined => undefined;
