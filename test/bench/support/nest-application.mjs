import 'reflect-metadata';

import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { commandArgs, getPoolToken, SnakepitCommand, SnakepitModule, SnakepitTool } from 'nestjs-snakepit';
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

/**
 * An application with a tool; `ask(count)` has a worker call it as often, 64 at a time, and `toolCalls` counts what arrives here.
 *
 * @param {object} options of the pool
 */
export async function openToolApplication(options) {
  let toolCalls = 0;
  class Adder {
    sum({ a, b }) {
      toolCalls += 1;
      return a + b;
    }
  }
  decorateMethod(Adder, 'sum', SnakepitTool());
  const application = await openNestApplication(options, [], [Adder]);
  return {
    ...application,
    ask: (count) => application.pool.execute('ask', { count, at_once: 64 }),
    get toolCalls() {
      return toolCalls;
    },
  };
}

/** The same, with every call counted for Prometheus. */
export function openMeteredApplication(options) {
  return openNestApplication(options, [SnakepitMetricsModule.forRoot({ registry: new Registry(), endpoint: false })]);
}

/**
 * A real application whose provider declares `add`; the pool beside it is the one that runs it.
 *
 * @param {object} options of the pool
 * @param {object[]} others modules that the application imports besides
 * @param {Function[]} providers its providers besides
 */
export async function openNestApplication(options, others = [], providers = []) {
  const pools = SnakepitModule.forRoot({ adapter: pythonAdapter(), ...options });
  const module = { module: ApplicationModule, imports: [pools, ...others], providers: [Calculator, ...providers] };
  const application = await NestFactory.createApplicationContext(module, { logger: ['error', 'warn'] });
  const calculator = application.get(Calculator);
  const pool = application.get(getPoolToken('default'));
  return {
    decorated: { add: () => calculator.add(1, 2) },
    pool: { add: () => pool.execute('add', { a: 1, b: 2 }), execute: (command, args) => pool.execute(command, args) },
    close: () => application.close(),
  };
}

/** What `@decorator` on a method compiles to; this file is run as it is. */
function decorateMethod(target, name, decorator) {
  const descriptor = Object.getOwnPropertyDescriptor(target.prototype, name);
  Object.defineProperty(target.prototype, name, decorator(target.prototype, name, descriptor) ?? descriptor);
}
