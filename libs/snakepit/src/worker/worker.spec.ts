import { describe, expect, it } from 'vitest';

import { Traffic } from '../channel/index.js';
import { SnakepitError, subscribe, systemClock, type LogRecord } from '../core/index.js';
import type { ExitCause } from './exit-cause.js';
import type { LaunchSpec } from './launch-spec.js';
import { SpawnedProcess } from './spawned-process.js';
import type { WorkerSettings } from './worker-settings.js';
import { Worker } from './worker.js';

const settings: WorkerSettings = {
  startTimeoutMs: 10_000,
  negotiationTimeoutMs: 1_000,
  killGraceMs: 500,
  maxFrameBytes: 65_536,
  maxDepth: 16,
  maxElements: 1_000_000,
  concurrency: 1,
  streamCredit: 8,
  arena: { enabled: true, mapped: true, bytes: 1 << 20, thresholdBytes: 1 << 18 },
  heartbeatIntervalMs: 1_000,
  heartbeatTimeoutMs: 3_000,
  maxLogRate: 2_000,
};

interface Outcome {
  readonly worker: Worker;
  readonly logs: LogRecord[];
  readonly ready: Promise<void>;
  readonly dead: Promise<{ cause: ExitCause; startError: SnakepitError | undefined }>;
}

function start(spec: Partial<LaunchSpec>, over: Partial<WorkerSettings> = {}): Outcome {
  const logs: LogRecord[] = [];
  let onReady: () => void = () => {};
  let onDead: (outcome: Awaited<Outcome['dead']>) => void = () => {};
  const ready = new Promise<void>((resolve) => {
    onReady = resolve;
  });
  const dead = new Promise<Awaited<Outcome['dead']>>((resolve) => {
    onDead = resolve;
  });
  const whole: LaunchSpec = {
    language: 'x',
    executable: 'sh',
    args: [],
    env: {},
    protocol: 'v2',
    codec: 'auto',
    ...spec,
  };
  const worker = new Worker({
    id: 'p-1',
    pool: 'p',
    instance: 'i',
    spec: whole,
    env: { PATH: process.env['PATH'] ?? '' },
    launch: (options) => new SpawnedProcess({ ...options, spec: whole }),
    settings: { ...settings, ...over },
    clock: systemClock,
    log: (record) => logs.push(record),
    owner: {
      onReady: () => onReady(),
      onUnavailable: () => {},
      onRoom: () => {},
      onCallsLost: () => {},
      onDead: (_, cause, startError) => onDead({ cause, startError }),
      onHostCall: () => Promise.resolve(null),
      onMetrics: () => {},
      traffic: new Traffic(),
    },
  });
  return { worker, logs, ready, dead };
}

const sh = (script: string, over: Partial<LaunchSpec> = {}): Partial<LaunchSpec> => ({ args: ['-c', script], ...over });

describe('a worker that cannot start', () => {
  it.each<[string, Partial<LaunchSpec>, Partial<WorkerSettings>, RegExp[]]>([
    [
      'exits',
      sh('echo no module x >&2; exit 3'),
      {},
      [/status 3/, /no module x/, /sh -c echo no module x/, /Mend what stderr/],
    ],
    ['is killed', sh('kill -9 $$'), {}, [/signal SIGKILL/]],
    [
      'does not exist',
      { executable: '/nowhere/python' },
      {},
      [/ENOENT/, /\/nowhere\/python exists and may be executed/],
    ],
    ['runs in no folder', sh('exit 0', { cwd: '/nowhere' }), {}, [/not spawned/, /'cwd' is a folder/]],
    ['closes its channel', sh('exec 3>&-; exec 3<&-; exit 0'), {}, [/closed the channel before it said hello/]],
    ['closes its channel and stays', sh('exec 3>&-; sleep 600'), {}, [/closed the channel/, /signal SIGTERM/]],
    ['says nothing', sh('sleep 600'), { startTimeoutMs: 50 }, [/not ready within 50 ms \(startTimeoutMs\)/, /SIGTERM/]],
    ['prints on its channel', sh('echo Traceback, and more of that >&3; sleep 600'), {}, [/exceeds maxFrameBytes/]],
    ['exits as v1', sh('echo oops >&2; exit 4', { protocol: 'v1' }), {}, [/closed its stdout/, /status 4/, /oops/]],
    ['closes its stdout as v1', sh('exec 1>&-; sleep 600', { protocol: 'v1' }), {}, [/closed its stdout/]],
    ['closes its stdin as v1', sh('exec 0<&-; exit 0', { protocol: 'v1' }), {}, [/status 0/]],
    [
      'prints as v1',
      sh('echo Traceback, and more of that; sleep 600', { protocol: 'v1' }),
      {},
      [/exceeds maxFrameBytes/],
    ],
  ])('explains itself when it %s', async (_, spec, over, expected) => {
    const { worker, dead } = start(spec, over);
    const { startError } = await dead;
    expect(startError?.code).toBe('WORKER_START_FAILED');
    for (const pattern of expected) expect(startError?.message).toMatch(pattern);
    expect(worker.state.kind).toBe('dead');
    expect(worker.channel).toBeUndefined();
  });

  it('is ended when it is stopped while it starts', async () => {
    const { worker, dead } = start(sh('sleep 600'));
    worker.drain('close');
    expect((await dead).startError?.message).toMatch(/stopped while it started/);
    worker.drain('close');
    worker.kill('close');
    expect(worker.state.kind).toBe('dead');
  });
});

/** A bridge of protocol v1 in one line: answers every request by its id. */
const ECHO = `
import json, struct, sys
while True:
    head = sys.stdin.buffer.read(4)
    if len(head) < 4: break
    request = json.loads(sys.stdin.buffer.read(struct.unpack('>I', head)[0]))
    reply = json.dumps({"id": request["id"], "success": True, "result": request["args"]}).encode()
    sys.stdout.buffer.write(struct.pack('>I', len(reply)) + reply)
    sys.stdout.buffer.flush()
    print("served", file=sys.stderr, flush=True)
`;

describe('a worker that is ready', () => {
  it('publishes its moves, logs its stderr with its id and leaves when it is drained', async () => {
    const moves: string[] = [];
    const leave = subscribe('snakepit:worker', ({ worker, from, to, reason }) => {
      if (worker === 'p-1') moves.push(`${from} ${to} ${reason ?? ''}`.trim());
    });
    const spec = { executable: 'python3', args: ['-c', ECHO], protocol: 'v1', codec: 'json' } as const;
    const { worker, logs, ready, dead } = start(spec);
    await ready;
    expect(worker.state).toMatchObject({ kind: 'ready' });
    worker.drain('resize');
    expect(await dead).toEqual({ cause: { kind: 'exit', status: 0 }, startError: undefined });
    leave();
    expect(moves).toEqual(['starting ready', 'ready draining resize', 'draining dead resize']);
    expect(logs).toContainEqual({ level: 'warn', message: 'served', pool: 'p', worker: 'p-1' });
  });
});
