import {
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';

import { Snakepit } from '../runtime/index.js';
import { PoolClients } from './clients/pool-clients.js';
import { CommandExplorer } from './commands/command.explorer.js';
import { CommandRunner } from './commands/command.runner.js';
import { ConsumerExplorer } from './consumers.js';
import { ToolExplorer } from './tools/tool.explorer.js';

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
  ) {}

  async onModuleInit(): Promise<void> {
    try {
      this.runner.bind(this.explorer.explore());
      this.tools.explore();
      this.consumers.attach();
      this.clients.explore();
      if (!this.snakepit.options.autoStart) return;
      await this.snakepit.start();
      this.runner.checkManifests();
      this.clients.checkManifests();
    } catch (error) {
      await this.snakepit.close();
      throw error;
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
