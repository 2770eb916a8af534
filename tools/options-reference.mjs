// Writes docs/options.md and docs/errors.md from the tables of the built library, and tables of docs/metrics.md and docs/cli.md.
// Usage: node tools/options-reference.mjs [--check]
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as prettier from 'prettier';
import {
  customOptionTable,
  ERRORS,
  goOptionTable,
  grpcOptionTable,
  nodeOptionTable,
  POOL_PROFILES,
  poolOptionTable,
  pythonOptionTable,
  rubyOptionTable,
  rOptionTable,
  SESSION_OPTIONS,
  snakepitOptionTable,
  variableName,
} from '../libs/snakepit/dist/runtime/index.js';
import { EXIT_STATUSES, OUTCOME_OF_ERROR } from '../libs/snakepit/dist/cli/exit-status.js';
import { METRICS, metricsOptionTable } from '../libs/snakepit/dist/metrics/core.js';
import { clientOptionTable, serverOptionTable } from '../libs/snakepit/dist/microservices/index.js';
import { moduleOptionTable, poolClientOptionTable, poolCommandOptionTable } from '../libs/snakepit/dist/nest/index.js';
import { fakeOptionTable, recordOptionTable, replayOptionTable } from '../libs/snakepit/dist/testing/index.js';

const docsDir = fileURLToPath(new URL('../docs/', import.meta.url));
const GENERATED = '<!-- Written by `npm run docs` from the tables in the source; do not edit. -->';

const pages = {
  'options.md': optionsPage(),
  'errors.md': errorsPage(),
  'metrics.md': metricsPage(),
  'cli.md': cliPage(),
};
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
    ['Module', 'Options of `SnakepitModule.forRoot()` and `createSnakepit()`.', { pools, sessions, ...shared }, ''],
    [
      '`SnakepitModule`',
      'Options of the [Nest module](nest.md) itself: beside the others in `forRoot()`, beside the factory in `forRootAsync()`.',
      moduleOptionTable,
    ],
    [
      'Pools',
      'Options of each entry of `pools`; with a single pool they stand beside the options of the module, and `<POOL>` is `DEFAULT`.',
      poolOptionTable,
      'POOLS_<POOL>_',
    ],
    ['Sessions', 'Options of `sessions`.', SESSION_OPTIONS, 'SESSIONS_'],
    ['`python()`', 'Workers in Python.', pythonOptionTable],
    ['`node()`', 'Workers in Node.js.', nodeOptionTable],
    ['`go()`', 'Workers in Go.', goOptionTable],
    ['`ruby()`', 'Workers in [Ruby](ruby.md).', rubyOptionTable],
    ['`r()`', 'Workers in R, see [R](r.md).', rOptionTable],
    ['`custom()`', 'Any program that speaks one of the wire protocols.', customOptionTable],
    ['`grpc()`', 'Workers that this application does not start, over gRPC.', grpcOptionTable],
    ['`fake()`', 'Workers for tests, which live in the process of the application.', fakeOptionTable],
    ['`record()`', 'Real workers whose answers are written into a file, for tests.', recordOptionTable],
    ['`replay()`', 'Workers for tests that answer by such a file.', replayOptionTable],
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
    'With [`environmentOverrides`](configuration.md#environment-variables), the variable of a row sets its option; each begins with `SNAKEPIT_`, ' +
      'or the prefix that was given, and then with what stands in the head of its column.',
    ...sections.map(([title, intro, rows, prefix]) => `## ${title}\n\n${intro}\n\n${optionRows(rows, prefix)}`),
    `## Profiles\n\nWhat a pool's \`profile\` has in place of the defaults above.\n\n${profileRows()}`,
  ].join('\n\n');
}

/** @param prefix what the variables of these rows begin with; undefined where there are none */
function optionRows(rows, prefix) {
  const head = ['option', 'default', 'unit', 'allowed', 'what it does'];
  const found = Object.entries(rows).flatMap(([name, spec]) => rowsOf([name, spec]));
  if (prefix === undefined)
    return table(
      head,
      found.map(({ cells }) => cells),
    );
  const variable = prefix === '' ? 'variable' : `variable: \`${prefix}\`…`;
  const nameOf = ({ cells, text }) => (text === undefined ? '' : `\`${variableOf(cells[0])}\``);
  return table(
    head.concat(variable),
    found.map((row) => row.cells.concat(nameOf(row))),
  );
}

/** `batch.<command>.maxSize` is `BATCH_<COMMAND>_MAX_SIZE`. */
function variableOf(cell) {
  const parts = cell.replaceAll('`', '').split('.');
  return parts.map((part) => (part.startsWith('<') ? part.toUpperCase() : variableName(part))).join('_');
}

function profileRows() {
  const names = Object.keys(POOL_PROFILES);
  const options = [...new Set(names.flatMap((name) => Object.keys(POOL_PROFILES[name])))];
  const cell = (name, option) => {
    const value = POOL_PROFILES[name][option];
    return value === undefined ? '' : `\`${JSON.stringify(value)}\``;
  };
  return table(
    ['option'].concat(names.map((name) => `\`${name}\``)),
    options.map((option) => [`\`${option}\``].concat(names.map((name) => cell(name, option)))),
  );
}

/** A group's own options follow it as `group.option`; what has a section of its own is only named. */
function rowsOf([name, spec]) {
  const row = [`\`${name}\``, defaultOf(spec), spec.unit ?? '', spec.allowed, spec.doc];
  const { text } = spec;
  if (spec.table === undefined) return [{ cells: row, text }];
  if (spec.table === poolOptionTable) return [{ cells: [...row.slice(0, 4), `${spec.doc} See [Pools](#pools).`] }];
  if (spec.table === SESSION_OPTIONS) {
    return [{ cells: [row[0], row[1], row[2], 'an object of options', `${spec.doc} See [Sessions](#sessions).`] }];
  }
  const prefix = spec.entry === undefined ? name : `${name}.<${spec.entry}>`;
  return [
    { cells: row, text },
    ...Object.entries(spec.table).flatMap(([key, below]) => rowsOf([`${prefix}.${key}`, below])),
  ];
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
    BUILD_FAILED: {
      language: 'Go',
      package: '/app/workers/ml',
      reason: 'go build ended with status 1 and these last lines:\n  ./main.go:12:9: undefined: totl',
    },
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
    INPUT_FAILED: { reason: 'EIO: i/o error, read' },
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

// --- metrics -------------------------------------------------------------------------------------

/** The page is written by hand but for its tables, each between two comments that name it. */
function metricsPage() {
  return withTables('metrics.md', { metrics: metricRows(), options: optionRows(metricsOptionTable) });
}

function cliPage() {
  return withTables('cli.md', { 'exit statuses': exitStatusRows() });
}

/** A page written by hand, whose tables stand between marks. */
function withTables(page, tables) {
  return Object.entries(tables).reduce(
    (text, [name, rows]) => {
      const [begin, end] = [`<!-- ${name}: written by \`npm run docs\` -->`, `<!-- ${name}: end -->`];
      const [before, rest] = text.split(begin);
      const after = rest?.split(end)[1];
      if (after === undefined) throw new Error(`docs/${page} has no place for the table '${name}'`);
      return `${before}${begin}\n\n${rows}\n\n${end}${after}`;
    },
    currentText(page) ?? '',
  );
}

function exitStatusRows() {
  const rows = Object.entries(EXIT_STATUSES).map(([outcome, { status, means }]) => {
    const codes = Object.keys(OUTCOME_OF_ERROR).filter((code) => OUTCOME_OF_ERROR[code] === outcome);
    return [`${status}`, means, codes.map((code) => `[\`${code}\`](errors.md#${code.toLowerCase()})`).join(', ')];
  });
  return table(
    ['status', 'meaning', 'errors'],
    [...rows, ['130, 143, 141', 'Ctrl-C, SIGTERM, or nobody reads the output any more', '']],
  );
}

function metricRows() {
  const rows = Object.entries(METRICS).map(([name, { type, labels, help }]) => {
    return [`\`snakepit_${name}\``, type, labels.map((label) => `\`${label}\``).join(', '), help];
  });
  return table(['metric', 'type', 'labels', 'what it says'], rows);
}

// --- Markdown ------------------------------------------------------------------------------------

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
