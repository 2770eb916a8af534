import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Client, credentials, status as Status, type ServiceError } from '@grpc/grpc-js';
import { createSnakepit, grpc } from 'nestjs-snakepit/core';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';

import type { Language } from '../support/combinations.js';
import { failureOf } from '../support/outcomes.js';
import { startStandalone, type StandaloneWorker } from '../support/standalone-worker.js';

const pathOf = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const LANGUAGES: readonly Language[] = ['python', 'node'];
const COMMANDS = { python: 'test/fixtures/contract/commands.py', node: 'test/fixtures/contract/commands.js' };
const LISTEN = ['--listen', '127.0.0.1:0'];
const TOKEN = 'a-token-of-the-team';

const pythonPath = () => [pathOf('bridges/python'), inject('pythonPackages')].join(delimiter);

interface Ending {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a standalone worker that is expected to end by itself. */
async function run(language: Language, args: readonly string[]): Promise<Ending> {
  const command =
    language === 'python'
      ? ['python3', '-m', 'snakepit_bridge.grpc', ...args]
      : [process.execPath, pathOf('bridges/node/dist/worker.js'), ...args];
  const child = spawn(command[0]!, command.slice(1), { env: { ...process.env, PYTHONPATH: pythonPath() } });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (text: Buffer) => (said.stdout += text.toString()));
  child.stderr.on('data', (text: Buffer) => (said.stderr += text.toString()));
  const deadline = setTimeout(() => child.kill('SIGKILL'), 15_000);
  const [status] = (await once(child, 'close')) as [number | null];
  clearTimeout(deadline);
  return { status, ...said };
}

const folder = mkdtempSync(join(tmpdir(), 'standalone-spec-'));
afterAll(() => rmSync(folder, { recursive: true }));
function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe.each(LANGUAGES)('a standalone worker of the %s SDK', (language) => {
  const module = pathOf(COMMANDS[language]);
  const tokenFile = file('token', `${TOKEN}\n`);
  const workers: StandaloneWorker[] = [];
  afterEach(() => Promise.all(workers.splice(0).map((worker) => worker.kill())));

  it.each([
    { flags: [...LISTEN, '--no-token'], says: 'a module is needed, such as report.' },
    {
      flags: [module, ...LISTEN],
      says: '--token-file is needed, or --no-token where whoever can connect may run commands',
    },
    {
      flags: [module, ...LISTEN, '--token-file', tokenFile, '--no-token'],
      says: '--token-file and --no-token exclude each other',
    },
    {
      flags: [module, ...LISTEN, '--token-file', tokenFile, '--tls-key', 'k'],
      says: '--tls-cert, --tls-key and --tls-client-ca belong together',
    },
    ...['0', '-1', '1.5', 'many', '2147483648'].map((value) => ({
      flags: [module, ...LISTEN, '--no-token', `--max-frame-bytes=${value}`],
      says: '--max-frame-bytes must be a whole number from 1 to 2147483647',
    })),
    ...['-1', 'soon', '86401', 'nan'].map((value) => ({
      flags: [module, ...LISTEN, '--no-token', `--drain-seconds=${value}`],
      says: '--drain-seconds must be a number from 0 to 86400',
    })),
    { flags: [module, ...LISTEN, '--no-token', '--nonsense'], says: '--nonsense' },
    { flags: [module, 'another', ...LISTEN, '--no-token'], says: 'unrecognized arguments: another' },
  ])('ends with status 2 and its usage for $flags', async ({ flags, says }) => {
    const { status: exit, stdout, stderr } = await run(language, flags);
    expect(exit).toBe(2);
    expect(stderr).toMatch(/^usage: /);
    expect(stderr).toContain(says);
    expect(stdout).toBe('');
  });

  it.each([
    { what: 'a token file that is not there', flags: ['--token-file', join(folder, 'absent')], says: 'absent' },
    {
      what: 'a token file with more than a token',
      flags: ['--token-file', file('two', 'one two')],
      says: 'must hold one token of visible ASCII characters',
    },
    { what: 'an empty token file', flags: ['--token-file', file('empty', '\n')], says: 'must hold one token' },
    {
      what: 'certificates that are none',
      flags: ['--no-token', '--tls-cert', tokenFile, '--tls-key', tokenFile, '--tls-client-ca', tokenFile],
      says: '',
    },
  ])('ends with status 1 and the reason for $what', async ({ flags, says }) => {
    const { status: exit, stdout, stderr } = await run(language, [module, ...LISTEN, ...flags]);
    expect(exit).toBe(1);
    expect(stderr).toContain('the worker cannot start: ');
    expect(stderr).toContain(says);
    expect(stderr).not.toContain(TOKEN);
    expect(stdout).toBe('');
  });

  it('ends with status 1 where its address is taken, or its module does not load', async () => {
    const worker = await startStandalone(language, '127.0.0.1:0', TOKEN, inject('pythonPackages'));
    workers.push(worker);
    const taken = await run(language, [module, '--listen', worker.address, '--no-token']);
    expect(taken.status).toBe(1);
    expect(taken.stderr).toContain(worker.address);
    const broken = await run(language, [join(folder, 'nothing-here.js'), ...LISTEN, '--no-token']);
    expect(broken.status).toBe(1);
    expect(broken.stderr).toContain('nothing-here');
  });

  it('lets everybody in with --no-token, and nobody without the token else', async () => {
    const options = { restart: { initialDelayMs: 10 } };
    const open = await startStandalone(language, '127.0.0.1:0', undefined, inject('pythonPackages'));
    const guarded = await startStandalone(language, '127.0.0.1:0', TOKEN, inject('pythonPackages'));
    workers.push(open, guarded);
    const snakepit = await createSnakepit({ adapter: grpc({ address: open.address }), ...options });
    expect(await snakepit.pool().execute('add', { a: 1, b: 2 })).toBe(3);
    await snakepit.close();
    for (const token of [undefined, 'wrong', `${TOKEN}x`]) {
      const adapter = grpc({ address: guarded.address, ...(token !== undefined && { token }) });
      const error = await failureOf(createSnakepit({ adapter, ...options }));
      expect(error).toMatchObject({ code: 'WORKER_UNREACHABLE' });
    }
  });

  it('calls tools of each host that has attached, and of that one only; those may call it again where it is not blocked', async () => {
    const worker = await startStandalone(language, '127.0.0.1:0', TOKEN, inject('pythonPackages'));
    workers.push(worker);
    const attach = async (host: string) => {
      const snakepit = await createSnakepit({ adapter: grpc({ address: worker.address, token: TOKEN }) });
      snakepit.tools.register('who', () => host);
      snakepit.tools.register('again', (args: unknown) => snakepit.pool().execute('call_itself', args));
      snakepit.tools.register('again.later', (args: unknown) => snakepit.pool().execute('call_itself_later', args));
      return snakepit;
    };
    const hosts = await Promise.all([attach('one'), attach('two')]);
    const who = (n: number) => hosts[n]?.pool().execute('call_tool', { name: 'who', args: null });
    expect(await Promise.all([who(0), who(1), who(0), who(1)])).toEqual(['one', 'two', 'one', 'two']);
    expect(await hosts[0].pool().execute('call_itself_later', { depth: 2 })).toMatchObject({ inner: { inner: {} } });
    const blocking = hosts[0].pool().execute('call_itself', { depth: 1 });
    // There is no other worker that this host could start.
    if (language === 'python') expect((await failureOf(blocking)).message).toContain('would wait for ever');
    else expect(await blocking).toMatchObject({ inner: { inner: null } });
    await Promise.all(hosts.map((host) => host.close()));
  });

  it('serves no reflection unless it is asked to', async () => {
    const worker = await startStandalone(language, '127.0.0.1:0', undefined, inject('pythonPackages'));
    workers.push(worker);
    const client = new Client(worker.address, credentials.createInsecure());
    const bytes = (message: Buffer): Buffer => message;
    const path = '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo';
    const stream = client.makeBidiStreamRequest(path, bytes, bytes);
    stream.end();
    const [error] = (await once(stream, 'error')) as [ServiceError];
    expect(error.code).toBe(Status.UNIMPLEMENTED);
    client.close();
  });

  it('makes its Unix socket for its own user only', async () => {
    const socket = join(folder, 'worker.sock');
    workers.push(await startStandalone(language, `unix:${socket}`, TOKEN, inject('pythonPackages')));
    expect(statSync(socket).mode & 0o777).toBe(0o600);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends with status 0 after %s', async (signal) => {
    const worker = await startStandalone(language, '127.0.0.1:0', TOKEN, inject('pythonPackages'));
    await worker.kill(signal);
    expect([worker.child.exitCode, worker.child.signalCode]).toEqual([0, null]);
  });
});

/** What Google's clients for health and reflection see: the latter builds the messages from what the server describes, and calls the server by them. */
const CLIENT = `
import json, sys
import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import proto_reflection_descriptor_database as database, reflection_pb2, reflection_pb2_grpc
from snakepit_bridge.grpc.generated import worker_pb2

address, token = sys.argv[1:]

class Token(grpc.StreamStreamClientInterceptor, grpc.UnaryUnaryClientInterceptor):
    def intercept_stream_stream(self, go_on, details, requests):
        return go_on(details._replace(metadata=(("authorization", "Bearer " + token),)), requests)
    def intercept_unary_unary(self, go_on, details, request):
        return go_on(details._replace(metadata=(("authorization", "Bearer " + token),)), request)

bare = grpc.insecure_channel(address)
try:
    list(reflection_pb2_grpc.ServerReflectionStub(bare).ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")])))
    refused = "nothing"
except grpc.RpcError as error:
    refused = error.code().name

def health_of(service):
    try:
        reply = health_pb2_grpc.HealthStub(bare).Check(health_pb2.HealthCheckRequest(service=service))
        return health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status)
    except grpc.RpcError as error:
        return error.code().name

channel = grpc.intercept_channel(bare, Token())
remote = database.ProtoReflectionDescriptorDatabase(channel)
pool = descriptor_pool.DescriptorPool(remote)
worker = pool.FindServiceByName("snakepit.v2.Worker")
health = pool.FindServiceByName("grpc.health.v1.Health")
same = all(
    [(f.name, f.number, f.type, f.label) for f in pool.FindMessageTypeByName(m.full_name).fields]
    == [(f.name, f.number, f.type, f.label) for f in m.fields]
    for m in worker_pb2.DESCRIPTOR.message_types_by_name.values()
)
request = message_factory.GetMessageClass(pool.FindMessageTypeByName("snakepit.v2.CallRequest"))
reply = message_factory.GetMessageClass(pool.FindMessageTypeByName("snakepit.v2.CallReply"))
call = channel.unary_unary("/snakepit.v2.Worker/Execute", request.SerializeToString, reply.FromString)
answer = call(request(command_name="add", body=b'{"a":40,"b":2}'))

stub = reflection_pb2_grpc.ServerReflectionStub(channel)
def ask(**kind):
    return next(stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(**kind)])))
unknown = ask(file_containing_symbol="no.Such")
print(json.dumps({
    "refused": refused,
    "health": [health_of(service) for service in ("", "snakepit.v2.Worker", "no.Such")],
    "services": sorted(remote.get_services()),
    "methods": [m.name for m in worker.methods] + [m.name for m in health.methods],
    "same": same,
    "answer": json.loads(answer.body),
    "unknown": unknown.error_response.error_code,
    "file": ask(file_by_filename="snakepit/v2/worker.proto").WhichOneof("message_response"),
    "extensions": ask(all_extension_numbers_of_type="snakepit.v2.CallRequest").WhichOneof("message_response"),
}))
`;

describe.each(LANGUAGES)('reflection of the %s SDK', (language) => {
  let worker: StandaloneWorker;
  let seen: Record<string, unknown>;
  beforeAll(async () => {
    const packages = inject('pythonPackages');
    worker = await startStandalone(language, '127.0.0.1:0', TOKEN, packages, ['--reflection']);
    const client = spawn('python3', ['-c', CLIENT, worker.address, TOKEN], {
      env: { ...process.env, PYTHONPATH: pythonPath() },
    });
    let stdout = '';
    let stderr = '';
    client.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
    client.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
    await once(client, 'close');
    if (stdout === '') throw new Error(stderr);
    seen = JSON.parse(stdout) as Record<string, unknown>;
  });
  afterAll(() => worker.kill());

  it('needs the token, as health does not', () => {
    expect(seen['refused']).toBe('UNAUTHENTICATED');
    expect(seen['health']).toEqual(['SERVING', 'SERVING', 'NOT_FOUND']);
  });

  it('lists what is served', () => {
    const common = ['grpc.health.v1.Health', 'grpc.reflection.v1alpha.ServerReflection', 'snakepit.v2.Worker'];
    const more = { python: ['snakepit.SnakepitBridge'], node: ['grpc.reflection.v1.ServerReflection'] };
    expect(seen['services']).toEqual([...common, ...more[language]].toSorted());
  });

  it('describes messages by which a client can call the worker', () => {
    expect(seen).toMatchObject({ same: true, answer: 42 });
    expect(seen['methods']).toEqual(['Attach', 'Execute', 'ExecuteStream', 'Check', 'Watch']);
    expect(seen['file']).toBe('file_descriptor_response');
  });

  it('says that it does not know what it does not know', () => {
    expect(seen).toMatchObject({ unknown: 5, extensions: 'all_extension_numbers_response' });
  });
});
