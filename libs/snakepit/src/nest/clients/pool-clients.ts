import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';

import { SnakepitError } from '../../core/index.js';
import { Snakepit, type PoolService } from '../../runtime/index.js';
import { assertOffered, offerOf } from '../commands/command.manifest-check.js';
import { classOf, discovered } from '../discovered.js';
import { memberFunction } from './client.member.js';
import { clientOf, membersOf, type ClientClass, type MemberDeclaration } from './client.metadata.js';
import type { ResolvedClientOptions } from './client.options.js';

interface Made {
  readonly declaration: MemberDeclaration;
  readonly pool: PoolService;
}

/** Makes the clients of an application, and holds their members against what its workers offer. */
@Injectable()
export class PoolClients {
  readonly #made: Made[] = [];
  #hasStarted = false;

  constructor(
    private readonly snakepit: Snakepit,
    private readonly discovery: DiscoveryService,
  ) {}

  /** @throws SnakepitError MISUSE for a pool that there is not; for a client made after the start also as {@link checkManifests} does */
  make<Client extends object>(type: ClientClass<Client>, options: ResolvedClientOptions): Client {
    const pool = this.#poolFor(type, options.pool);
    const client = Reflect.construct(type, []) as Client;
    for (const declaration of membersOf(type)) {
      const value = memberFunction(declaration, options, pool);
      Object.defineProperty(client, declaration.member, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
      this.#made.push({ declaration, pool });
      if (this.#hasStarted) this.#check({ declaration, pool });
    }
    return client;
  }

  /** @throws SnakepitError MISUSE for a client that is provided like any class, by which Nest makes it without its commands */
  explore(): void {
    for (const wrapper of discovered(this.discovery)) {
      const type = classOf(wrapper);
      if (clientOf(type) === undefined) continue;
      const remedy = `take it out of 'providers' and import SnakepitModule.forFeature([${type?.name}])`;
      const reason = `@PoolClient on ${type?.name}: it is provided like any class, without its commands; ${remedy}.`;
      throw new SnakepitError('MISUSE', { reason });
    }
  }

  /** @throws SnakepitError MISUSE for an unknown command, and for a call that is a stream or the other way round */
  checkManifests(): void {
    this.#hasStarted = true;
    for (const made of this.#made) this.#check(made);
  }

  #check({ declaration, pool }: Made): void {
    const { label, command, options } = declaration;
    const { stream } = options;
    assertOffered({ what: `@PoolCommand on ${label}`, command, stream }, offerOf(this.snakepit, pool));
  }

  #poolFor(type: ClientClass, name: string | undefined): PoolService {
    const { poolNames, defaultPoolName } = this.snakepit;
    const wanted = name ?? defaultPoolName;
    if (poolNames.includes(wanted)) return this.snakepit.pool(wanted);
    const reason = `@PoolClient on ${type.name}: there is no pool '${wanted}'; set 'pool' to one of ${poolNames.join(', ')}.`;
    throw new SnakepitError('MISUSE', { reason });
  }
}
