/**
 * A host whose workers are all busy with what makes them deaf. Prints its processes as JSON once they are, and then what it is told
 * to do by the word after the scenario: `wait` to be killed, `exit`, `throw`, or `close`. The last word is where Python finds packages.
 */
import { fileURLToPath } from 'node:url';
import { createSnakepit, node, python } from 'nestjs-snakepit/core';

const [, , scenario, ending = 'wait', path] = process.argv;
const pathOf = (name) => fileURLToPath(new URL(`../workers/${name}`, import.meta.url));

const ADAPTERS = {
  python: () => python({ module: pathOf('busy.py') }),
  'python v1': () => python({ module: pathOf('busy.py'), protocol: 'v1' }),
  'python zygote': () => python({ module: pathOf('busy.py'), zygote: true }),
  'python gRPC': () => python({ module: pathOf('busy.py'), transport: 'grpc', path: [path] }),
  'node gRPC': () => node({ module: pathOf('busy.js'), transport: 'grpc' }),
  node: () => node({ module: pathOf('busy.js') }),
  'node v1': () => node({ module: pathOf('busy.js'), protocol: 'v1' }),
};
const COMMANDS = ['loop', 'hold_gil', 'with_family', 'forked_family'];
/** The last worker is idle. */
const SIZE = COMMANDS.length + 1;

const family = [];
let busy = 0;
let onBusy = () => {};
const allBusy = new Promise((resolve) => (onBusy = resolve));

function log({ message }) {
  if (message.startsWith('family ')) family.push(...message.slice('family '.length).split(' ').map(Number));
  if (message !== 'busy') return;
  busy += 1;
  if (busy === COMMANDS.length) onBusy();
}

const snakepit = await createSnakepit(
  { adapter: ADAPTERS[scenario](), size: SIZE, drainTimeoutMs: 0, killGraceMs: 100, window: 1 },
  { log },
);
const pool = snakepit.pool();
for (const command of COMMANDS) void pool.execute(command, {}, { timeoutMs: 600_000 }).catch(() => {});
await allBusy;
const { processes } = await pool.memory();
process.stdout.write(`${JSON.stringify({ pids: processes.map(({ pid }) => pid), family })}\n`);

switch (ending) {
  case 'exit':
    process.exit(3);
    break;
  case 'throw':
    setImmediate(() => {
      throw new Error('a bug of the application');
    });
    break;
  case 'close':
    await snakepit.close();
    process.stdout.write('{"closed":true}\n');
    break;
  default:
    setInterval(() => {}, 60_000);
}
