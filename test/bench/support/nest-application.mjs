import 'reflect-metadata';

import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { commandArgs, getPoolToken, SnakepitCommand, SnakepitModule } from 'nestjs-snakepit';
import { SnakepitMetricsModule } from 'nestjs-snakepit/metrics';
import { Registry } from 'prom-client';

import { pythonAdapter } from './pools.mjs';

class Calculator {
  add(a, b) {
    return commandArgs({ a, b });
  }
}
decorateMethod(Calculator, 'add', SnakepitCommand());

// oxlint-disable-next-line typescript/no-extraneous-class -- Nest wants a class, and this language version has no decorators
class ApplicationModule {}
Module({})(ApplicationModule);

/** The same, with every call counted for Prometheus. */
export function openMeteredApplication(options) {
  return openNestApplication(options, [SnakepitMetricsModule.forRoot({ registry: new Registry() })]);
}

/**
 * A real application whose provider declares `add`; the pool beside it is the one that runs it.
 *
 * @param {object} options of the pool
 * @param {object[]} others modules that the application imports besides
 */
export async function openNestApplication(options, others = []) {
  const pools = SnakepitModule.forRoot({ adapter: pythonAdapter(), ...options });
  const module = { module: ApplicationModule, imports: [pools, ...others], providers: [Calculator] };
  const application = await NestFactory.createApplicationContext(module, { logger: ['error', 'warn'] });
  const calculator = application.get(Calculator);
  const pool = application.get(getPoolToken('default'));
  return {
    decorated: { add: () => calculator.add(1, 2) },
    pool: { add: () => pool.execute('add', { a: 1, b: 2 }) },
    close: () => application.close(),
  };
}

/** What `@decorator` on a method compiles to; this file is run as it is. */
function decorateMethod(target, name, decorator) {
  const descriptor = Object.getOwnPropertyDescriptor(target.prototype, name);
  Object.defineProperty(target.prototype, name, decorator(target.prototype, name, descriptor) ?? descriptor);
}
