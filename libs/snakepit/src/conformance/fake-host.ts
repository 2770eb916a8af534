import { isDeepStrictEqual } from 'node:util';

import { HostCallFailure } from '../channel/index.js';
import { isPlainObject } from '../core/index.js';
import type { OpenCall } from './open-call.js';

const DEFAULT_READ_BYTES = 262_144;

/** A host call as it came. */
export interface AskedOfHost {
  readonly method: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly call: OpenCall | undefined;
}

interface SessionData {
  readonly metadata: Map<string, unknown>;
  readonly programs: Map<string, unknown>;
  revision: number;
}

type Tool = (args: unknown) => unknown;

/** The application's side: tools, message handlers, sessions and inputs, as PROTOCOL.md has them. */
export class FakeHost {
  readonly asked: AskedOfHost[] = [];
  /** By the name without its separators, in lower case. */
  readonly tools = new Map<string, Tool>();
  /** Answers messages; undefined: nobody does. */
  onMessage: ((pattern: unknown, data: unknown) => unknown) | undefined;
  readonly sessions = new Map<string, SessionData>();
  readonly globals: SessionData = newSession();

  /** @throws HostCallFailure with what is to be answered */
  async answer(method: string, given: unknown, call: OpenCall | undefined): Promise<unknown> {
    const args = isPlainObject(given) ? given : {};
    this.asked.push({ method, args, call });
    if (call === undefined) throw refused(`'${method}' names no running call`);
    const [room, verb] = method.split('.');
    if (method === 'tool.call') return await this.#callTool(args);
    if (method === 'message.send') return await this.#sendMessage(args);
    if (method === 'input.read') return readInput(args, call);
    if (room === 'session') return this.#session(verb, args, call);
    throw refused(`there is no method '${method}'`);
  }

  session(id: string): SessionData {
    const known = this.sessions.get(id) ?? newSession();
    this.sessions.set(id, known);
    return known;
  }

  async #callTool({ name, args }: Readonly<Record<string, unknown>>): Promise<unknown> {
    const tool = this.tools.get(String(name).toLowerCase().replace(/[._-]/gu, ''));
    if (tool === undefined) throw failure('UNKNOWN_TOOL', `there is no tool '${String(name)}'`);
    return await tool(args ?? {});
  }

  async #sendMessage({ pattern, data }: Readonly<Record<string, unknown>>): Promise<unknown> {
    if (this.onMessage === undefined) throw failure('UNKNOWN_PATTERN', 'nobody answers this pattern');
    return await this.onMessage(pattern, data);
  }

  #session(verb: string | undefined, args: Readonly<Record<string, unknown>>, call: OpenCall): unknown {
    const { map, key, value, revision } = args;
    if (map !== 'globals' && map !== 'metadata' && map !== 'programs') throw refused(`there is no map ${String(map)}`);
    if (map !== 'globals' && call.session === undefined) throw refused('the call belongs to no session');
    const owner = map === 'globals' ? this.globals : this.session(call.session!);
    const data = owner[map === 'programs' ? 'programs' : 'metadata'];
    if (verb === 'keys') return [...data.keys()];
    if (typeof key !== 'string') throw refused('the key is no string');
    const isCurrent = revision === undefined || revision === null || isDeepStrictEqual(revision, owner.revision);
    const found = data.has(key);
    switch (verb) {
      case 'read':
        return { found, value: data.get(key) ?? null, revision: owner.revision };
      case 'write':
        if (isCurrent) data.set(key, value ?? null);
        if (isCurrent) owner.revision += 1;
        return { written: isCurrent, revision: owner.revision };
      case 'delete':
        if (isCurrent && data.delete(key)) owner.revision += 1;
        return { written: isCurrent && found, revision: owner.revision };
      default:
        throw refused(`there is no method 'session.${String(verb)}'`);
    }
  }
}

/** What answers a host call by an error of this code. */
export function failure(code: string, message: string, more: { type?: string; data?: unknown } = {}): HostCallFailure {
  return new HostCallFailure({ code, message, ...more });
}

function refused(message: string): HostCallFailure {
  return failure('INVALID_ARGUMENTS', message);
}

function readInput({ maxBytes }: Readonly<Record<string, unknown>>, call: OpenCall): Buffer | null {
  const { input } = call.order;
  if (input === undefined) throw refused('the call has no input');
  const count = typeof maxBytes === 'number' ? maxBytes : DEFAULT_READ_BYTES;
  const bytes = input.subarray(call.inputAt, call.inputAt + count);
  call.inputAt += bytes.length;
  return bytes.length === 0 ? null : bytes;
}

function newSession(): SessionData {
  return { metadata: new Map(), programs: new Map(), revision: 1 };
}
