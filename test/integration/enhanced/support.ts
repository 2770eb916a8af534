import { fileURLToPath } from 'node:url';

import { createSnakepit, python, type PoolOptions, type PythonOptions, type Snakepit } from 'nestjs-snakepit/core';
import { afterAll } from 'vitest';

export const fixtures = fileURLToPath(new URL('../../fixtures/enhanced/', import.meta.url));

type Enhanced = Extract<PythonOptions, { readonly enhanced: object }>['enhanced'];

/** Starts hosts whose workers call libraries; they are closed after the file's tests. */
export function useEnhanced(packages: () => string) {
  const open = new Set<Snakepit>();
  afterAll(async () => {
    await Promise.all(Array.from(open, (snakepit) => snakepit.close()));
  });
  return async (
    enhanced: Enhanced,
    pool: Partial<PoolOptions> = {},
    adapter: Partial<PythonOptions> = {},
  ): Promise<Snakepit> => {
    const path = [packages(), fixtures];
    const snakepit = await createSnakepit({
      size: 1,
      ...pool,
      adapter: python({ path, ...adapter, enhanced } as PythonOptions),
    });
    open.add(snakepit);
    return snakepit;
  };
}
