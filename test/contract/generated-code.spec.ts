import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, it } from 'vitest';

import { ancestor, encodeCallRequest, encodeFailure, encodeWorkerBatch } from 'nestjs-snakepit/codec/grpc';

import { pythonVersion } from '../../tools/python-packages.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const regenerate = (target: string): string =>
  execFileSync('node', ['tools/proto/main.mjs', '--check', target], { cwd: root, encoding: 'utf8', stdio: 'pipe' });

it('is what the .proto files say, in TypeScript', () => {
  expect(() => regenerate('typescript')).not.toThrow();
});

/** There are no wheels of the pinned grpcio-tools for later versions; the messages below are read with every one. */
const hasTools = Number(pythonVersion().split('.')[1]) <= 12;
it.skipIf(!hasTools).each(['python', 'descriptors'])(
  'is what the .proto files say, for %s (needs Python 3.12 or earlier)',
  { timeout: 120_000 },
  (target) => {
    expect(() => regenerate(target)).not.toThrow();
  },
);

describe('a message of the library', () => {
  const messages = {
    'worker_pb2.CallRequest': encodeCallRequest({
      attachment: 1,
      id: 300,
      commandName: 'größe',
      body: Uint8Array.of(0, 255),
      tagged: true,
      meta: { session: 's-1', context: new Map([['tenant', 'a']]) },
    }),
    'worker_pb2.Failure': encodeFailure({ code: 'REMOTE_ERROR', started: false, data: { data: Uint8Array.of(1) } }),
    'worker_pb2.WorkerBatch': encodeWorkerBatch({
      messages: [
        { hello: { protocol: 2, codec: 'msgpack', attachment: 1, commands: [{ name: 'add', kind: 1 }] } },
        { released: { call: 4_294_967_295, serviceUs: 0 } },
      ],
    }),
    'snakepit_bridge_pb2.ExecuteResponse': ancestor.encodeExecuteResponse({
      success: true,
      result: new Map([['raw', Uint8Array.of(1, 2)]]),
      timestamp: -1n,
    }),
  };

  it.each(Object.entries(messages))('%s is the same after Python has read and written it', (name, bytes) => {
    const [module, type] = name.split('.') as [string, string];
    const script = [
      'import sys',
      `from snakepit_bridge.grpc.generated.${module} import ${type}`,
      `message = ${type}.FromString(bytes.fromhex(sys.argv[1]))`,
      'print(message.SerializeToString(deterministic=True).hex())',
    ].join('\n');
    const env = { ...process.env, PYTHONPATH: `${inject('pythonPackages')}:${root}bridges/python` };
    const answer = execFileSync('python3', ['-c', script, bytes.toString('hex')], { env, encoding: 'utf8' });
    expect(answer.trim()).toBe(bytes.toString('hex'));
  });
});
