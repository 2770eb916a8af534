import { fileURLToPath } from 'node:url';

import { expect, it } from 'vitest';

import { startHost } from '../../support/host-script.js';

const pathOf = (name: string) => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));

it('an application without @grpc/grpc-js is told to install it when it wants gRPC, and needs it for nothing else', async () => {
  const host = startHost(pathOf('integration/without-grpc-js.mjs'), [pathOf('contract/commands.js')]);
  for (let adapter = 0; adapter < 2; adapter += 1) {
    expect(await host.next()).toMatchObject({
      code: 'MISUSE',
      message: expect.stringContaining('npm install @grpc/grpc-js') as string,
    });
  }
  expect(await host.next()).toEqual({ sum: 42 });
  expect(await host.ended(5_000)).toMatchObject({ status: 0 });
});
