import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';

import { Snakepit } from '../runtime/index.js';
import { discovered, isObject } from './discovered.js';

/** What a provider that cannot inject the pools, since Nest does not make it, is given them by. */
export const ATTACH = Symbol('snakepit:attach');

/** A provider that wants the pools of its application. */
export interface SnakepitConsumer {
  [ATTACH](snakepit: Snakepit): void;
}

/** Gives the pools to the providers that want them, before the pools start. */
@Injectable()
export class ConsumerExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly snakepit: Snakepit,
  ) {}

  /** @throws SnakepitError of a provider that cannot do with these pools */
  attach(): void {
    for (const { instance } of discovered(this.discovery) as readonly { readonly instance: unknown }[]) {
      if (isConsumer(instance)) instance[ATTACH](this.snakepit);
    }
  }
}

function isConsumer(instance: unknown): instance is SnakepitConsumer {
  return isObject(instance) && ATTACH in instance;
}
