import { CORE_COMMANDS } from '../core-commands.js';
import { check } from '../mismatch.js';
import type { ConformanceCase, Stage } from '../conformance-case.js';
import { show } from '../show.js';

export const handshake: readonly ConformanceCase[] = [
  {
    group: 'handshake',
    name: 'the hello lists the core commands, each of its kind',
    run: async ({ manifest }) => {
      const kinds = new Map(manifest.commands?.map(({ name, kind }) => [name, kind]));
      const wrong = Object.entries(CORE_COMMANDS).filter(([name, kind]) => kinds.get(name) !== kind);
      check(wrong.length === 0, 'all core commands in the manifest', () => {
        return `none, or none of that kind, for ${wrong.map(([name, kind]) => `${name} (${kind})`).join(', ')}`;
      });
    },
  },
  {
    group: 'handshake',
    name: 'members and codecs of the hello that are unknown are passed over',
    protocols: ['v2'],
    kind: 'own',
    run: async (stage) => {
      const hello = { codecs: ['cbor', stage.codec], protocol: [2, 7], compression: { level: 3 } };
      const bridge = await stage.open({ hello });
      await bridge.checkAlive();
    },
  },
  {
    group: 'handshake',
    name: 'a hello without a codec that it has is refused by an error, and status 1',
    protocols: ['v2'],
    kind: 'own',
    run: async (stage) => await isRefused(stage, { codecs: ['cbor'] }),
  },
  {
    group: 'handshake',
    name: 'a hello without a protocol that it has is refused by an error, and status 1',
    protocols: ['v2'],
    kind: 'own',
    run: async (stage) => await isRefused(stage, { protocol: [7] }),
  },
  {
    group: 'handshake',
    name: 'the socket is closed before the hello: the process ends',
    protocols: ['v2', 'grpc'],
    kind: 'own',
    run: async (stage) => {
      const bridge = stage.spawn();
      await bridge.process.spawned();
      bridge.process.socket.destroy();
      await bridge.exited('the end of the process', stage.settings.helloMs);
    },
  },
];

async function isRefused(stage: Stage, hello: Readonly<Record<string, unknown>>): Promise<void> {
  const bridge = stage.spawn({ hello });
  const answer = await bridge.connect().then(
    () => 'a manifest',
    () => undefined,
  );
  const refusal = answer === undefined ? bridge.frames.refusal : undefined;
  check(
    refusal !== undefined,
    'a hello with an error',
    () => answer ?? bridge.violation ?? 'the end of the connection',
  );
  check(typeof refusal.message === 'string', 'a message in the error', () => show(refusal));
  await bridge.exited('the end of the process behind its refusal');
  check(bridge.process.exit?.status === 1, 'exit status 1', () => bridge.process.describeExit());
}
