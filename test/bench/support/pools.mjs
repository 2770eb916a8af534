import { fileURLToPath } from 'node:url';

import { createSnakepit, python } from 'nestjs-snakepit/core';

import { pinned } from './cpus.mjs';
import { venv } from './packages.mjs';

export const COMMANDS = fileURLToPath(new URL('../workers/commands.py', import.meta.url));
export const MODELS = fileURLToPath(new URL('../workers/models.py', import.meta.url));
export const ASKERS = fileURLToPath(new URL('../workers/askers.py', import.meta.url));
export const WAITING = fileURLToPath(new URL('../workers/waiting.py', import.meta.url));
export const LARGE_COMMANDS = fileURLToPath(new URL('../workers/large_commands.py', import.meta.url));

/** Python workers on the workers' CPUs, in the environment that has MessagePack. */
export function pythonAdapter(options = {}) {
  return pinned(python({ module: COMMANDS, venv, ...options }));
}

/**
 * A pool of Python workers with the library's defaults, but for what `options` says and a queue that turns no call away: a
 * refused call would measure something else.
 */
export async function openPool({ adapter = pythonAdapter(), ...options }) {
  const snakepit = await createSnakepit({ adapter, maxQueue: 1_000_000, queueTimeoutMs: 60_000, ...options });
  const pool = snakepit.pool();
  return {
    execute: (command, args) => pool.execute(command, args),
    stream: (command, args) => pool.stream(command, args),
    iterate: (command, args) => pool.iterate(command, args),
    memory: () => pool.memory(),
    add: () => pool.execute('add', { a: 1, b: 2 }),
    /** Resolves when as many workers are ready. */
    async resize(size) {
      pool.resize(size);
      await pool.ready();
    },
    close: () => snakepit.close(),
  };
}
