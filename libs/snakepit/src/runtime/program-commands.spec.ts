import { describe, expect, it } from 'vitest';

import type { SessionService } from '../session/index.js';
import type { PoolService } from './pool-service.js';
import { executeProgramCommand, type ProgramCommand } from './program-commands.js';

function setup(): {
  run: (command: ProgramCommand, args: Record<string, unknown>) => Promise<unknown>;
  calls: unknown[][];
} {
  const programs = new Map<string, unknown>();
  const calls: unknown[][] = [];
  const sessions = {
    storeProgram: (_: string, id: string, program: unknown) => Promise.resolve(void programs.set(id, program)),
    getProgram: (_: string, id: string) => Promise.resolve(programs.get(id)),
    listPrograms: () => Promise.resolve([...programs.keys()]),
    deleteProgram: (_: string, id: string) => Promise.resolve(programs.delete(id)),
  } as unknown as SessionService;
  const pool = {
    executeInSession: (...given: unknown[]) => {
      calls.push(given);
      return Promise.resolve({ compiled: true });
    },
  } as unknown as PoolService;
  const run = (command: ProgramCommand, args: Record<string, unknown>): Promise<unknown> =>
    executeProgramCommand({ pool, sessions, session: 's', command, args, options: { timeoutMs: 5 } });
  return { run, calls };
}

describe('executeProgramCommand', () => {
  it('stores what the worker created and hands it back to the worker to be executed', async () => {
    const { run, calls } = setup();
    expect(await run('create_program', { id: 'a', code: 'x' })).toEqual({ id: 'a', program: { compiled: true } });
    await run('execute_program', { id: 'a', input: 1 });
    expect(calls).toEqual([
      ['s', 'create_program', { id: 'a', code: 'x' }, { timeoutMs: 5 }],
      ['s', 'execute_program', { id: 'a', input: 1, program: { compiled: true } }, { timeoutMs: 5 }],
    ]);
  });

  it('answers from the store without a worker', async () => {
    const { run, calls } = setup();
    await run('create_program', { id: 'a' });
    expect(await run('get_program', { id: 'a' })).toEqual({ compiled: true });
    expect(await run('list_programs', {})).toEqual(['a']);
    expect(await run('delete_program', { id: 'a' })).toBe(true);
    expect(await run('list_programs', {})).toEqual([]);
    expect(calls).toHaveLength(1);
  });

  it.each(['create_program', 'execute_program', 'get_program', 'delete_program'] as const)(
    'refuses %s without an id',
    async (command) => {
      const { run, calls } = setup();
      for (const args of [{}, { id: '' }, { id: 3 }]) {
        await expect(run(command, args)).rejects.toMatchObject({
          code: 'INVALID_ARGUMENTS',
          details: { path: 'args.id' },
        });
      }
      expect(calls).toEqual([]);
    },
  );
});
