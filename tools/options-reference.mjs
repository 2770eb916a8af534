// Writes docs/options.md and docs/errors.md from the tables of the built library.
// Usage: node tools/options-reference.mjs [--check]
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as prettier from 'prettier';
import {
  customOptionTable,
  ERRORS,
  grpcOptionTable,
  nodeOptionTable,
  poolOptionTable,
  pythonOptionTable,
  SESSION_OPTIONS,
  snakepitOptionTable,
} from '../libs/snakepit/dist/runtime/index.js';
import { clientOptionTable, serverOptionTable } from '../libs/snakepit/dist/microservices/index.js';
import { poolClientOptionTable, poolCommandOptionTable } from '../libs/snakepit/dist/nest/index.js';

const docsDir = fileURLToPath(new URL('../docs/', import.meta.url));
const GENERATED = '<!-- Written by `npm run docs` from the tables in the source; do not edit. -->';

const pages = { 'options.md': optionsPage(), 'errors.md': errorsPage() };
if (process.argv.includes('--check')) await check();
else await write();

async function write() {
  mkdirSync(docsDir, { recursive: true });
  for (const [name, text] of Object.entries(pages)) writeFileSync(join(docsDir, name), await formatted(name, text));
}

async function check() {
  for (const [name, text] of Object.entries(pages)) {
    if (currentText(name) === (await formatted(name, text))) continue;
    console.error(`docs/${name} is not what the tables say; run 'npm run docs'.`);
    process.exitCode = 1;
  }
}

function currentText(name) {
  try {
    return readFileSync(join(docsDir, name), 'utf8');
  } catch {
    return undefined;
  }
}

async function formatted(name, text) {
  const path = join(docsDir, name);
  return prettier.format(text, { ...(await prettier.resolveConfig(path)), filepath: path });
}

// --- options -------------------------------------------------------------------------------------

function optionsPage() {
  const { pools, sessions, ...shared } = snakepitOptionTable;
  const sections = [
    ['Module', 'Options of `SnakepitModule.forRoot()` and `createSnakepit()`.', { pools, sessions, ...shared }],
    [
      'Pools',
      'Options of each entry of `pools`; with a single pool they stand beside the options of the module.',
      poolOptionTable,
    ],
    ['Sessions', 'Options of `sessions`.', SESSION_OPTIONS],
    ['`python()`', 'Workers in Python.', pythonOptionTable],
    ['`node()`', 'Workers in Node.js.', nodeOptionTable],
    ['`custom()`', 'Any program that speaks one of the wire protocols.', customOptionTable],
    ['`grpc()`', 'Workers that this application does not start, over gRPC.', grpcOptionTable],
    [
      '`@PoolClient()`',
      'A [client](clients.md); options of a call are for all of its commands.',
      poolClientOptionTable,
    ],
    ['`@PoolCommand()`', 'A member of a client.', poolCommandOptionTable],
    ['`SnakepitClient`', 'A `ClientProxy` to a pool, see [microservices](microservices.md).', clientOptionTable],
    ['`SnakepitServer`', 'The transport from workers to controllers.', serverOptionTable],
  ];
  return [
    GENERATED,
    '# Options',
    'An unknown key or a value that is not allowed is refused at start-up with key, value and what is allowed.',
    ...sections.map(([title, intro, rows]) => `## ${title}\n\n${intro}\n\n${optionRows(rows)}`),
  ].join('\n\n');
}

function optionRows(rows) {
  return table(['option', 'default', 'unit', 'allowed', 'what it does'], Object.entries(rows).flatMap(rowsOf));
}

/** A group's own options follow it as `group.option`; what has a section of its own is only named. */
function rowsOf([name, spec]) {
  const row = [`\`${name}\``, defaultOf(spec), spec.unit ?? '', spec.allowed, spec.doc];
  if (spec.table === undefined) return [row];
  if (spec.table === poolOptionTable) return [[...row.slice(0, 4), `${spec.doc} See [Pools](#pools).`]];
  if (spec.table === SESSION_OPTIONS) {
    return [[row[0], row[1], row[2], 'an object of options', `${spec.doc} See [Sessions](#sessions).`]];
  }
  return [row, ...Object.entries(spec.table).flatMap(([key, below]) => rowsOf([`${name}.${key}`, below]))];
}

function defaultOf({ default: given }) {
  if (given === undefined) return '_required_';
  if (given.doc !== undefined) return given.doc;
  if (given.value === undefined) return 'none';
  return typeof given.value === 'function' ? 'computed' : `\`${JSON.stringify(given.value)}\``;
}

// --- errors --------------------------------------------------------------------------------------

/** Details for the example messages, as the library fills them in. */
function exampleDetails(code) {
  const common = { pool: 'reports', command: 'summarize', worker: 'reports-2', session: 's-1' };
  const own = {
    INVALID_OPTIONS: { reason: "'options.pools.reports.size' is 0; allowed is an integer from 1 to 1024." },
    MISUSE: { reason: "Pool 'reports' was started before." },
    INTERPRETER_NOT_FOUND: { language: 'Python', tried: 'python3, python' },
    WORKER_START_FAILED: { commandLine: 'python3 -m snakepit_bridge.worker', exit: 'status 1', stderr: 'ImportError' },
    WORKER_UNREACHABLE: {
      reason: 'attaching to models:50051 failed: UNAUTHENTICATED',
      remedy: "Give 'token' what the worker was started with.",
    },
    POOL_NOT_FOUND: { known: 'default' },
    POOL_NOT_READY: { reason: 'it was not started' },
    POOL_SATURATED: { queued: 1000, maxQueue: 1000, busy: 8, workers: 8 },
    QUEUE_TIMEOUT: { waitedMs: 5000, queueTimeoutMs: 5000, queued: 12, busy: 8, workers: 8 },
    CALL_TIMEOUT: { timeoutMs: 60000, waitedMs: 3 },
    WORKER_EXITED: { exit: 'signal SIGSEGV (native code crashed)' },
    WORKER_LOST: { reason: 'no heartbeat' },
    COMMAND_TAINTED: { deaths: 3, windowMs: 60000, lastExit: 'signal SIGSEGV', retryAfterMs: 5000 },
    UNKNOWN_COMMAND: { known: 'summarise, walk' },
    INVALID_ARGUMENTS: { reason: 'args.items[3].callback: is a function' },
    INVALID_RESULT: { reason: 'a file cannot be sent' },
    REMOTE_ERROR: { type: 'ValueError', reason: 'month must be in 1..12' },
    PROTOCOL_ERROR: { reason: 'an answer for call 7, which is not in flight' },
    FRAME_TOO_LARGE: { what: "The arguments of 'summarize'", bytes: 70000000, maxFrameBytes: 67108864 },
    UNSUPPORTED: { reason: "protocol v1 has no streams; use protocol 'v2'" },
    SESSION_LIMIT: { limit: 10000 },
    SESSION_WORKER_UNAVAILABLE: { reason: 'busy' },
  };
  return { ...common, ...own[code] };
}

function errorsPage() {
  const codes = Object.entries(ERRORS);
  const rows = codes.map(([code, rule]) => [
    `[\`${code}\`](#${code.toLowerCase()})`,
    `${rule.httpStatus}`,
    `${rule.grpcStatus}`,
    rule.delivery,
    rule.retryable ? 'yes' : 'no',
  ]);
  return [
    GENERATED,
    '# Errors',
    'Every error is a `SnakepitError`. Its `code` is one of these, `delivery` says whether the command’s code can have run (a ' +
      'single error may know more than the table), and `retryable` whether the same call may succeed when made again.',
    table(['code', 'HTTP', 'gRPC', 'delivery', 'retryable'], rows),
    '## What they say',
    ...codes.map(([code, rule]) => `### ${code}\n\n\`\`\`text\n${rule.message(exampleDetails(code))}\n\`\`\``),
  ].join('\n\n');
}

// --- Markdown ------------------------------------------------------------------------------------

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
