import {
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';

import { Snakepit, type PoolService } from '../runtime/index.js';
import { PoolClients } from './clients/pool-clients.js';
import { CommandExplorer } from './commands/command.explorer.js';
import { CommandRunner } from './commands/command.runner.js';
import { ConsumerExplorer } from './consumers.js';
import { UnreadBodies } from './http/unread-bodies.js';
import { ToolExplorer } from './tools/tool.explorer.js';

/** A module of functions may have hundreds. */
const MAX_TOLD_COMMANDS = 20;

/** Ties the pools to the application's life: ready before other modules initialize, gone when it has shut down. */
@Injectable()
export class SnakepitLifecycle implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  constructor(
    private readonly snakepit: Snakepit,
    private readonly explorer: CommandExplorer,
    private readonly runner: CommandRunner,
    private readonly tools: ToolExplorer,
    private readonly consumers: ConsumerExplorer,
    private readonly clients: PoolClients,
    private readonly bodies: UnreadBodies,
  ) {}

  async onModuleInit(): Promise<void> {
    try {
      this.runner.bind(this.explorer.explore());
      this.tools.explore();
      this.consumers.attach();
      this.clients.explore();
      this.bodies.allow();
      if (!this.snakepit.options.autoStart) return;
      await this.snakepit.start();
      this.runner.checkManifests();
      this.clients.checkManifests();
      this.#tellPools();
    } catch (error) {
      await this.snakepit.close();
      throw error;
    }
  }

  /** Nest tells of its own parts at the start; nothing else says that workers run, and what they take. */
  #tellPools(): void {
    for (const name of this.snakepit.poolNames) {
      const pool = this.snakepit.pool(name);
      this.snakepit.log({ level: 'info', pool: name, message: readiness(pool.stats().workers, pool.commands) });
    }
  }

  /** The HTTP server still answers here, so that calls in flight reach their clients. */
  beforeApplicationShutdown(): Promise<void> {
    return this.snakepit.drain();
  }

  onApplicationShutdown(): Promise<void> {
    return this.snakepit.close();
  }
}

function readiness(workers: number, commands: PoolService['commands']): string {
  const ready = `${workers} worker${workers === 1 ? '' : 's'} ready`;
  if (commands === undefined || commands.length === 0) return ready;
  const names = commands.slice(0, MAX_TOLD_COMMANDS).map(({ name }) => name);
  const rest = commands.length - names.length;
  return `${ready}; commands: ${names.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
