import 'reflect-metadata';

import type { ResolvedClientOptions, ResolvedMemberOptions } from './client.options.js';

const CLIENT = Symbol('snakepit:client');
const MEMBERS = Symbol('snakepit:client-members');

/** A class whose members are commands. */
export type ClientClass<Client extends object = object> = abstract new (...args: never[]) => Client;

/** One property that `@PoolCommand` stands on. */
export interface MemberDeclaration {
  /** `MlClient.predict`, for messages. */
  readonly label: string;
  readonly member: string;
  readonly command: string;
  readonly options: ResolvedMemberOptions;
}

export function setClient(type: Function, options: ResolvedClientOptions): void {
  Reflect.defineMetadata(CLIENT, options, type);
}

/** What `@PoolClient` on the class itself says; undefined where there is none. */
export function clientOf(type: unknown): ResolvedClientOptions | undefined {
  if (typeof type !== 'function') return undefined;
  return Reflect.getOwnMetadata(CLIENT, type) as ResolvedClientOptions | undefined;
}

export function addMember(prototype: object, declaration: MemberDeclaration): void {
  Reflect.defineMetadata(MEMBERS, [...ownMembersOf(prototype), declaration], prototype);
}

export function ownMembersOf(prototype: object): readonly MemberDeclaration[] {
  return (Reflect.getOwnMetadata(MEMBERS, prototype) as readonly MemberDeclaration[] | undefined) ?? [];
}

/** The members of a class and its ancestors; one that is declared again counts as what the later class says. */
export function membersOf(type: ClientClass): MemberDeclaration[] {
  const byName = new Map<string, MemberDeclaration>();
  let prototype: unknown = type.prototype;
  while (typeof prototype === 'object' && prototype !== null) {
    for (const each of ownMembersOf(prototype)) if (!byName.has(each.member)) byName.set(each.member, each);
    prototype = Object.getPrototypeOf(prototype);
  }
  return [...byName.values()];
}
