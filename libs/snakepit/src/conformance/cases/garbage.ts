import { Kind } from '../../codec/index.js';
import type { Bridge } from '../bridge.js';
import type { ConformanceCase } from '../conformance-case.js';
import { check } from '../mismatch.js';
import { frameBytes, type FrameWire } from '../wires/frame-wire.js';

const NONE = Buffer.alloc(0);

/** What a host never sends: each ends the connection, and with it the process. */
const GARBAGE: Readonly<Record<string, (frames: FrameWire, bridge: Bridge) => void>> = {
  'a frame of an unknown kind': (frames) => frames.sendFrame(0x7f, 0, 0, 1),
  'a frame that goes the wrong way': (frames) => frames.sendFrame(Kind.RESULT, 0, 0, 1),
  'a second hello': (frames) => frames.sendFrame(Kind.HELLO, 0, 0, 0, Buffer.from('{}')),
  'a frame that exceeds maxFrameBytes, before its body has come': (frames, { settings }) =>
    frames.send(frameBytes({ kind: Kind.CALL, flags: 0, aux: 0, id: 1 }, NONE, settings.maxFrameBytes + 1)),
  'a frame of 4 GiB': (frames) =>
    frames.send(frameBytes({ kind: Kind.CALL, flags: 0, aux: 0, id: 1 }, NONE, 0xffff_ffff)),
  'a deadline in a body of three bytes': (frames) => frames.sendFrame(Kind.CALL, 0x02, 0, 1, Buffer.alloc(3)),
  'text where a frame should be': (frames) => frames.send(Buffer.from('GET / HTTP/1.1\r\nHost: worker\r\n\r\n')),
};

export const garbage: readonly ConformanceCase[] = [
  ...Object.entries(GARBAGE).map(([name, send]): ConformanceCase => ({
    group: 'garbage',
    name,
    protocols: ['v2'],
    kind: 'own',
    run: async (stage) => {
      const bridge = await stage.open();
      send(bridge.frames, bridge);
      await endsBadly(bridge);
    },
  })),
  {
    group: 'garbage',
    name: 'a call before the hello',
    protocols: ['v2'],
    kind: 'own',
    run: async (stage) => {
      const bridge = stage.spawn();
      await bridge.process.spawned();
      bridge.process.socket.on('error', () => {});
      bridge.process.socket.write(frameBytes({ kind: Kind.CALL, flags: 0, aux: 0, id: 1 }, NONE));
      await endsBadly(bridge);
    },
  },
  {
    group: 'garbage',
    name: 'a hello that is no JSON',
    protocols: ['v2'],
    kind: 'own',
    run: async (stage) => {
      const bridge = stage.spawn();
      await bridge.process.spawned();
      bridge.process.socket.on('error', () => {});
      bridge.process.socket.write(frameBytes({ kind: Kind.HELLO, flags: 0, aux: 0, id: 0 }, Buffer.from('{hello}')));
      await endsBadly(bridge);
    },
  },
];

async function endsBadly(bridge: Bridge): Promise<void> {
  await bridge.exited('the end of the process');
  const { exit } = bridge.process;
  check(exit?.status !== 0, 'a status that is not 0, or a signal', () => bridge.process.describeExit());
}
