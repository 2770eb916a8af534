import { fileURLToPath } from 'node:url';

import { expect, it } from 'vitest';

import { startHost } from '../support/host-script.js';

const pathOf = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

it('the core runs in a plain script without a single module of Nest', async () => {
  const host = startHost(pathOf('integration/loaded-modules.mjs'), [pathOf('contract/commands.py')]);
  const { sum, loaded } = await host.next<{ sum: number; loaded: string[] }>();
  expect(sum).toBe(42);
  expect(loaded.some((url) => url.includes('/dist/runtime/snakepit.js'))).toBe(true);
  expect(loaded.filter((url) => /@nestjs|reflect-metadata|\/dist\/nest\//.test(url))).toEqual([]);
  expect(await host.ended(5_000)).toMatchObject({ status: 0, stderr: '' });
});

it('metrics are collected in a plain script without Nest', async () => {
  const host = startHost(pathOf('integration/metrics-without-nest.mjs'), [pathOf('contract/commands.py')]);
  const { text } = await host.next<{ text: string }>();
  expect(text).toContain('# TYPE snakepit_calls_total counter');
  expect(text).toContain('snakepit_pool_status{pool="default",status="down"} 1');
  expect(await host.ended(5_000)).toMatchObject({ status: 0, stderr: '' });
});
