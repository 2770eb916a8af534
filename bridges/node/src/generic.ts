import { command } from './definition.js';

const startedAt = performance.now();
let handled = 0;

interface ComputeArgs {
  readonly operation?: string;
  readonly a?: number;
  readonly b?: number;
}

interface RandomArgs {
  readonly type?: string;
  readonly min?: number;
  readonly max?: number;
  readonly mean?: number;
  readonly std?: number;
}

const OPERATIONS: Readonly<Record<string, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => (b === 0 ? refuse('Division by zero') : a / b),
  power: (a, b) => a ** b,
  sqrt: (a) => (a < 0 ? refuse('Square root of a negative number') : Math.sqrt(a)),
};

const DISTRIBUTIONS: Readonly<Record<string, (args: RandomArgs) => number>> = {
  uniform: ({ min = 0, max = 1 }) => min + Math.random() * (max - min),
  integer: ({ min = 0, max = 100 }) => min + Math.floor(Math.random() * (max - min + 1)),
  // Box and Muller, https://en.wikipedia.org/wiki/Box%E2%80%93Muller_transform; 1 - random() is never 0.
  normal: ({ mean = 0, std = 1 }) =>
    mean + std * Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()),
};

export const ping = command({ doc: 'Tells that the worker is there.' }, (args: unknown) =>
  reply({
    bridge_type: 'generic_javascript',
    uptime: uptimeSeconds(),
    requests_handled: handled,
    node_version: process.version,
    platform: process.platform,
    worker_id: process.env['SNAKEPIT_WORKER_ID'] ?? 'unknown',
    echo: args,
  }),
);

export const echo = command({ doc: 'Gives back its arguments.' }, (args: unknown) => reply({ echoed: args }));

export const compute = command(
  { doc: 'Arithmetic on a and b: add, subtract, multiply, divide, power; sqrt of a.' },
  ({ operation = 'add', a = 0, b = 0 }: ComputeArgs) => {
    const calculate = Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation] : undefined;
    if (calculate === undefined) return refuse(`Unsupported operation: ${operation}`);
    const result = calculate(a, b);
    if (!Number.isFinite(result)) return refuse(`Invalid result: ${result}`);
    return reply({ operation, inputs: { a, b }, result });
  },
);

export const random = command({ doc: 'A random number: uniform, integer or normal.' }, (args: RandomArgs) => {
  const { type = 'uniform' } = args;
  const draw = Object.hasOwn(DISTRIBUTIONS, type) ? DISTRIBUTIONS[type] : undefined;
  if (draw === undefined) return refuse(`Unsupported random type: ${type}`);
  return reply({ type, parameters: args, value: draw(args) });
});

export const info = command({ doc: 'What this worker runs on.' }, () =>
  reply({
    bridge_info: {
      name: 'snakepit generic JavaScript bridge',
      version: '1.0.0',
      supported_commands: ['ping', 'echo', 'compute', 'random', 'info'],
      uptime: uptimeSeconds(),
      total_requests: handled,
    },
    system_info: {
      node_version: process.version,
      platform: process.platform,
      arch: process.arch,
      memory_usage: { ...process.memoryUsage() },
    },
  }),
);

function reply<Body extends object>(body: Body): Body & { status: 'ok'; timestamp: number } {
  handled += 1;
  return { status: 'ok', ...body, timestamp: Date.now() / 1000 };
}

function uptimeSeconds(): number {
  return (performance.now() - startedAt) / 1000;
}

function refuse(message: string): never {
  throw new Error(message);
}
