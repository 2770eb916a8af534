import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, describe, expect, it } from 'vitest';

import { waitUntil } from '../support/wait-until.js';
import { endOf, inTerminal, snakepit, startSnakepit } from './snakepit.js';

const worker = fileURLToPath(new URL('../fixtures/cli/worker.py', import.meta.url));
const exec = (...args: string[]) => snakepit(['exec', '--python', worker, ...args]);
const folder = mkdtempSync(join(tmpdir(), 'snakepit-exec-'));
const file = (name: string) => join(folder, name);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.concurrent('snakepit exec', () => {
  it('prints the result of a command as JSON, and nothing else', async () => {
    expect(await exec('add', '{"a":1,"b":2}')).toEqual({ status: 0, stdout: '3\n', stderr: '' });
  });

  it('takes arguments from stdin and from a file', async () => {
    writeFileSync(file('args.json'), '[20, 22]');
    const [fromStdin, fromFile] = await Promise.all([
      snakepit(['exec', '--python', worker, 'add', '-'], { stdin: '{"a": 1.5, "b": 2}' }),
      exec('add', `@${file('args.json')}`),
    ]);
    expect([fromStdin.stdout, fromFile.stdout]).toEqual(['3.5\n', '42\n']);
  });

  it('prints the items of a stream as lines of JSON', async () => {
    expect(await exec('count', '{"n":3}')).toEqual({ status: 0, stdout: '0\n1\n2\n', stderr: '' });
  });

  it('lists the commands of a worker', async () => {
    const { status, stdout } = await exec();
    expect(status).toBe(0);
    expect(stdout).toMatch(/^add(\(a, b\))? +call +The sum of two numbers\.$/m);
    expect(stdout).toMatch(/^count(\(n\))? +stream$/m);
  });

  it('runs Node workers, and programs that speak protocol v1', async () => {
    writeFileSync(file('worker.mjs'), 'export const twice = ({ n }) => n * 2;\n');
    const script = `import sys, json, struct
while True:
    head = sys.stdin.buffer.read(4)
    if not head: break
    request = json.loads(sys.stdin.buffer.read(struct.unpack(">I", head)[0]))
    reply = json.dumps({"id": request.get("id"), "success": "command" in request, "result": request.get("args")}).encode()
    sys.stdout.buffer.write(struct.pack(">I", len(reply)) + reply)
    sys.stdout.buffer.flush()
`;
    writeFileSync(file('v1.py'), script);
    const [node, custom] = await Promise.all([
      snakepit(['exec', '--node', file('worker.mjs'), 'twice', '{"n": 4}']),
      snakepit(['exec', '--command', `python3 '${file('v1.py')}'`, '--codec', 'json', 'anything', '{"b":"c d"}']),
    ]);
    expect([node.stdout, node.stderr]).toEqual(['8\n', '']);
    expect([custom.stdout, custom.stderr]).toEqual(['{"b":"c d"}\n', '']);
  });

  it('writes binary as bytes where --out says, and else as JSON', async () => {
    const [toFile, toStdout, streamed] = await Promise.all([
      exec('every_byte', '--out', file('bytes')),
      exec('every_byte'),
      exec('chunks', '{"n":3}', '--out', file('chunks')),
    ]);
    expect([toFile.status, toFile.stdout, streamed.status]).toEqual([0, '', 0]);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    expect(readFileSync(file('bytes'))).toEqual(bytes);
    expect(readFileSync(file('chunks'))).toEqual(bytes.subarray(0, 3));
    expect(JSON.parse(toStdout.stdout)).toEqual({ $base64: bytes.toString('base64') });
  });

  it('feeds a command from stdin', async () => {
    const stdin = Buffer.alloc(1_000_000, 'abc');
    const { stdout } = await snakepit(['exec', '--python', worker, 'digest', '--input', '-'], { stdin });
    expect(JSON.parse(stdout)).toBe(createHash('sha256').update(stdin).digest('hex'));
  });

  it('gives a session, and environment variables', async () => {
    const [session, variable] = await Promise.all([
      exec('--session', 's-1', 'remember', '{"item":"a"}'),
      exec('--env', 'REGION=eu=1', 'variable', '["REGION"]'),
    ]);
    expect(JSON.parse(session.stdout)).toEqual({ session: 's-1', items: ['a'] });
    expect(variable.stdout).toBe('"eu=1"\n');
  });

  it.each([
    [
      'a command that raises',
      ['refuse', '["not today"]'],
      1,
      /REMOTE_ERROR: 'refuse' raised ValueError: not today[^]*in refuse/,
    ],
    ['JSON that is none', ['add', '{a:1}'], 2, /argument is no JSON .* single quotes/],
    ['a file of arguments that is not there', ['add', '@nowhere.json'], 2, /arguments cannot be read: ENOENT/],
    ['an unknown option', ['--fast', 'add'], 2, /unknown option '--fast'/],
    ['a timeout that is no number', ['--timeout', 'soon', 'add'], 2, /whole number of milliseconds/],
    ['an option of other workers', ['--protocol', 'v3', 'add'], 2, /Allowed choices are v1, v2/],
    ['two sources on stdin', ['digest', '-', '--input', '-'], 2, /cannot both be read from stdin/],
    ['an output that cannot be written', ['add', '[1,2]', '--out', '/nowhere/at/all'], 2, /cannot be written: ENOENT/],
    ['a command that is not there', ['subtract', '[1,2]'], 3, /UNKNOWN_COMMAND: No command 'subtract'.*add, /],
    ['arguments that do not fit', ['add', '{"a":1}'], 3, /INVALID_ARGUMENTS: .*\bb\b/],
    ['an interpreter that is not there', ['--interpreter', 'python7', 'add'], 4, /INTERPRETER_NOT_FOUND: .*python7/],
    ['a worker that dies', ['vanish'], 5, /WORKER_EXITED: .*status 7/],
  ])('says what is wrong about %s, and ends with its status', async (_, args, status, message) => {
    const run = await exec(...args);
    expect(run).toMatchObject({ status, stdout: '', stderr: expect.stringMatching(message) });
  });

  it('asks for one worker, and refuses two', async () => {
    const [none, two] = await Promise.all([
      snakepit(['exec', 'add']),
      snakepit(['exec', '--python', worker, '--node', 'x.js', 'add']),
    ]);
    expect(none).toMatchObject({ status: 2, stderr: expect.stringContaining('one of --python, --node') });
    expect(two).toMatchObject({ status: 2, stderr: expect.stringContaining('cannot be used with') });
  });

  it('gives a command up when its time is over, and shows where it was', async () => {
    const { status, stderr } = await exec(
      '--timeout',
      '300',
      'until_cancelled',
      JSON.stringify([file('t1'), file('t2')]),
    );
    expect(status).toBe(124);
    expect(stderr).toMatch(/CALL_TIMEOUT: 'until_cancelled' did not finish within 300 ms/);
    expect(existsSync(file('t2'))).toBe(true);
  });

  it('cancels the command in the worker on Ctrl-C', async () => {
    const args = JSON.stringify({ started: file('c1'), ended: file('c2') });
    const child = startSnakepit(['exec', '--python', worker, 'until_cancelled', args]);
    const ended = endOf(child);
    await waitUntil('the command runs', () => existsSync(file('c1')));
    child.kill('SIGINT');
    expect(await ended).toEqual({ status: 130, stdout: '', stderr: '' });
    expect(existsSync(file('c2'))).toBe(true);
  });

  it('stops a stream whose reader has left', async () => {
    const child = startSnakepit(['exec', '--python', worker, 'endless', JSON.stringify([file('e1')])]);
    const exit = once(child, 'exit');
    child.stdout.once('data', () => child.stdout.destroy());
    expect(await exit).toEqual([141, null]);
    expect(existsSync(file('e1'))).toBe(true);
  });

  it('shows progress in a terminal, and what the worker prints above it', async () => {
    const { status, stdout } = await inTerminal(['exec', '--python', worker, 'with_progress']);
    expect(status).toBe(0);
    expect(stdout).toContain(`${'█'.repeat(12)}${'░'.repeat(12)}  50 %  {"done":2,"total":4}`);
    expect(stdout).toMatch(/\] half way\r?\n/);
    expect(stdout).toContain('"through"');
  });
});
