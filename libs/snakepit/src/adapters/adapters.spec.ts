import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { custom } from './custom.js';
import { findExecutable } from './executable.js';
import { grpc } from './grpc.js';
import { node } from './node.js';
import { findPython } from './python-interpreter.js';
import { python } from './python.js';
import { r } from './r.js';
import { findRuby } from './ruby-interpreter.js';
import { ruby } from './ruby.js';

const context = { pool: 'p' };
let folder: string;
let module: string;

/** An executable shell script in a folder of its own, which can be put on the PATH. */
function script(name: string, text: string): { folder: string; path: string } {
  const bin = mkdtempSync(join(folder, 'bin-'));
  const path = join(bin, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return { folder: bin, path };
}

/** Prints a version and a path, the path as its code points or as its bytes. */
const answering = (executable: string, version: readonly number[], as: 'points' | 'utf8' = 'points'): string => {
  const numbers = as === 'utf8' ? [...Buffer.from(executable)] : Array.from(executable, (each) => each.codePointAt(0));
  return `echo '${JSON.stringify([version, numbers])}'`;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'snakepit-adapters-'));
  module = join(folder, 'report.py');
  writeFileSync(module, '');
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(folder, { recursive: true }));

describe('findPython', () => {
  const wish = { interpreter: undefined, venv: undefined, searchPath: '' };

  it('returns the path that the interpreter gives for itself', async () => {
    const { folder: bin } = script('python3', answering('/opt/real/python3.12', [3, 12, 1]));
    expect(await findPython({ ...wish, searchPath: bin })).toBe('/opt/real/python3.12');
  });

  it('finds an interpreter in a folder whose name is not ASCII, whatever the encoding of its output', async () => {
    const real = await findPython({ ...wish, searchPath: process.env['PATH']! });
    const bin = mkdtempSync(join(folder, 'bücher-🐍-'));
    symlinkSync(real, join(bin, 'python3'));
    vi.stubEnv('PYTHONIOENCODING', 'ascii');
    expect(await findPython({ ...wish, searchPath: bin })).toBe(join(bin, 'python3'));
  });

  it('prefers the option to the venv, that to the PATH, and python3 to python', async () => {
    const onPath = script('python3', answering('/path', [3, 11, 0]));
    writeFileSync(join(onPath.folder, 'python'), `#!/bin/sh\n${answering('/older', [3, 11, 0])}\n`, { mode: 0o755 });
    const option = script('mypython', answering('/option', [3, 11, 0]));
    const venv = mkdtempSync(join(folder, 'venv-'));
    mkdirSync(join(venv, 'bin'));
    symlinkSync(script('python', answering('/venv', [3, 11, 0])).path, join(venv, 'bin', 'python'));
    const searchPath = onPath.folder;
    expect(await findPython({ interpreter: option.path, venv, searchPath })).toBe('/option');
    expect(await findPython({ interpreter: undefined, venv, searchPath })).toBe('/venv');
    expect(await findPython({ ...wish, searchPath })).toBe('/path');
    rmSync(onPath.path);
    expect(await findPython({ ...wish, searchPath })).toBe('/older');
  });

  it.each<[string, () => Partial<typeof wish> | { interpreter: string } | { venv: string }, RegExp]>([
    ['nothing is on the PATH', () => ({ searchPath: folder }), /No Python interpreter found \(tried python3, python\)/],
    ['the option names nothing', () => ({ interpreter: '/nowhere/py' }), /tried \/nowhere\/py/],
    ['the venv has none', () => ({ venv: '/nowhere' }), /tried \/nowhere\/bin\/python, \/nowhere\/bin\/python3/],
    [
      'it is too old',
      () => ({ interpreter: script('p', answering('/p', [3, 8, 19])).path }),
      /Python 3\.8, and 3\.9 or newer/,
    ],
    ['it is Python 2', () => ({ interpreter: script('p', answering('/p', [2, 7, 18])).path }), /Python 2\.7/],
    [
      'it fails',
      () => ({ interpreter: script('p', 'echo no libpython >&2; exit 127').path }),
      /does not run: .*no libpython/s,
    ],
    ['it answers nothing', () => ({ interpreter: script('p', 'exit 0').path }), /does not run/],
    ['it answers something else', () => ({ interpreter: script('p', 'echo null').path }), /does not run/],
    ['it answers without a version', () => ({ interpreter: script('p', `echo '["3.9", []]'`).path }), /does not run/],
  ])('explains that %s', async (_, over, message) => {
    await expect(findPython({ ...wish, ...over() })).rejects.toMatchObject({
      code: 'INTERPRETER_NOT_FOUND',
      message: expect.stringMatching(message) as string,
    });
  });
});

describe('findExecutable', () => {
  it('skips folders and files that may not be executed', () => {
    const bin = mkdtempSync(join(folder, 'bin-'));
    mkdirSync(join(bin, 'tool'));
    writeFileSync(join(bin, 'plain'), '');
    const good = script('tool', '');
    expect(findExecutable('tool', `${bin}:${good.folder}`)).toBe(good.path);
    expect(findExecutable('plain', bin)).toBeUndefined();
    expect(findExecutable('tool', '')).toBeUndefined();
  });
});

describe('python()', () => {
  it('describes the process of a module that is a file', async () => {
    const { folder: bin } = script('python3', answering('/py', [3, 12, 0]));
    vi.stubEnv('PATH', bin);
    const spec = await python({
      module,
      path: [folder],
      interpreterArgs: ['-X', 'dev'],
      args: ['-v'],
      cwd: folder,
    }).prepare(context);
    expect(spec).toMatchObject({ language: 'python', executable: '/py', protocol: 'v2', codec: 'auto', cwd: folder });
    expect(spec.args).toEqual(['-X', 'dev', '-m', 'snakepit_bridge.worker', '--module', module, '-v']);
    expect(spec.searchPaths?.['PYTHONPATH']).toEqual([expect.stringMatching(/bridges\/python$/), folder]);
  });

  it('takes a file URL, and a dotted name that is looked up by Python alone', async () => {
    const { path } = script('py', answering('/py', [3, 12, 0]));
    const byUrl = await python({ module: pathToFileURL(module), interpreter: path }).prepare(context);
    expect(byUrl.args).toContain(module);
    const byName = await python({ module: 'app.models', interpreter: path, protocol: 'v1', codec: 'json' }).prepare(
      context,
    );
    expect(byName.args.slice(2)).toEqual(['--module', 'app.models', '--protocol', 'json']);
  });

  it('says where it looked for a module that is no file', async () => {
    await expect(python({ module: './nowhere.py' }).prepare(context)).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringMatching(
        /'python.module' names .*nowhere\.py, which is no file\. Relative paths start at/,
      ) as string,
    });
    await expect(python({ module: folder }).prepare(context)).rejects.toThrow('which is no file');
  });
});

describe('node()', () => {
  it('runs the host’s own Node.js unless another is named', async () => {
    const spec = node({ module });
    // The worker SDK is compiled by the workspace's build.
    const { executable, args, protocol, env } = await spec.prepare(context).catch((error: Error) => {
      expect(error.message).toContain("run 'npm run build'");
      return { executable: process.execPath, args: ['', '--module', module], protocol: 'v2', env: {} };
    });
    expect([executable, protocol, env]).toEqual([process.execPath, 'v2', {}]);
    expect(args.slice(-2)).toEqual(['--module', module]);
  });

  it('refuses an interpreter that does not exist', async () => {
    await expect(node({ module, interpreter: 'no-such-node' }).prepare(context)).rejects.toMatchObject({
      code: 'INTERPRETER_NOT_FOUND',
      message: expect.stringContaining('tried no-such-node') as string,
    });
  });
});

describe('findRuby', () => {
  it('returns the path that Ruby gives for itself, be it named or on the PATH', async () => {
    const { folder: bin, path } = script('ruby', answering('/opt/real/rüby3.3', [3, 3], 'utf8'));
    expect(await findRuby(undefined, bin)).toBe('/opt/real/rüby3.3');
    expect(await findRuby(path, '')).toBe('/opt/real/rüby3.3');
  });

  it.each<[string, () => [string | undefined, string], RegExp]>([
    ['nothing is on the PATH', () => [undefined, folder], /No Ruby interpreter found \(tried ruby\)/],
    ['the option names nothing', () => ['/nowhere/rb', ''], /tried \/nowhere\/rb/],
    ['it is too old', () => [script('r', answering('/r', [2, 7])).path, ''], /Ruby 2\.7, and 3\.0 or newer is needed/],
    ['it fails', () => [script('r', 'echo no libruby >&2; exit 127').path, ''], /does not run: .*no libruby/s],
    ['it answers something else', () => [script('r', 'echo null').path, ''], /does not run: it answered null/],
  ])('explains that %s', async (_, wish, message) => {
    await expect(findRuby(...wish())).rejects.toMatchObject({
      code: 'INTERPRETER_NOT_FOUND',
      message: expect.stringMatching(message) as string,
    });
  });
});

describe('ruby()', () => {
  it('describes the process of a file', async () => {
    const { path: interpreter } = script('ruby', answering('/rb', [3, 3]));
    const bare = await ruby({ module, interpreter }).prepare(context);
    const program = expect.stringMatching(/bridges\/ruby\/exe\/snakepit-ruby-worker$/) as string;
    expect(bare).toMatchObject({ language: 'ruby', executable: '/rb', protocol: 'v2', codec: 'auto', env: {} });
    expect(bare.args).toEqual([program, '--module', module]);
    expect(bare.searchPaths).toBeUndefined();
    const full = ruby({
      module: pathToFileURL(module),
      interpreter,
      interpreterArgs: ['--yjit'],
      path: [folder],
      gemfile: module,
      protocol: 'v1',
      codec: 'json',
      args: ['-v'],
      cwd: folder,
    });
    expect(await full.prepare(context)).toMatchObject({
      args: ['--yjit', '-rbundler/setup', program, '--module', module, '--protocol', 'json', '-v'],
      env: { BUNDLE_GEMFILE: module },
      searchPaths: { RUBYLIB: [folder] },
      cwd: folder,
    });
  });

  it('says where it looked for files that are not there', async () => {
    await expect(ruby({ module: './nowhere.rb' }).prepare(context)).rejects.toThrow(
      /'ruby.module' names .*nowhere\.rb/,
    );
    await expect(ruby({ module, gemfile: 'none' }).prepare(context)).rejects.toThrow(/'ruby.gemfile' names .*none/);
  });
});

describe('r()', () => {
  it('describes a shell that becomes Rscript with the script, and R_LIBS with its libraries', async () => {
    const { path: interpreter } = script('Rscript', 'exit 0');
    const bare = await r({ module, interpreter }).prepare(context);
    expect(bare).toMatchObject({ language: 'r', executable: '/bin/sh', protocol: 'v2', codec: 'json' });
    expect(bare.args.map((arg) => arg.replace(/^.*bridges/, ''))).toEqual([
      '/r/inst/launch.sh',
      interpreter,
      '/r/inst/worker.R',
      '--module',
      module,
    ]);
    expect(bare).not.toHaveProperty('searchPaths');
    expect(bare.sources).toEqual({ folders: [folder], extensions: ['.R', '.r'] });
    const full = r({
      module: pathToFileURL(module),
      interpreter,
      interpreterArgs: ['--vanilla'],
      libraries: [folder],
      args: ['--more'],
      env: { A: '1' },
      cwd: folder,
    });
    const spec = await full.prepare(context);
    expect(spec).toMatchObject({ searchPaths: { R_LIBS: [folder] }, env: { A: '1' }, cwd: folder });
    expect(spec.args.slice(1, 3)).toEqual([interpreter, '--vanilla']);
    expect(spec.args.at(-1)).toBe('--more');
  });

  it('refuses what is not there', async () => {
    await expect(r({ module: './nowhere.R' }).prepare(context)).rejects.toThrow(/'r.module' names .*nowhere\.R/);
    await expect(r({ module, interpreter: '/nowhere/Rscript' }).prepare(context)).rejects.toMatchObject({
      code: 'INTERPRETER_NOT_FOUND',
      message: expect.stringContaining('/nowhere/Rscript') as string,
    });
  });
});

describe('custom()', () => {
  it('hands on what it was given and has no member for what it was not', async () => {
    const { path } = script('tool', '');
    const bare = custom({ executable: path });
    expect(Object.keys(bare)).toEqual(['name', 'prepare']);
    expect(await bare.prepare(context)).toEqual({
      language: 'custom',
      executable: path,
      args: [],
      env: {},
      protocol: 'v1',
      codec: 'auto',
    });
    const hooks = { validate: () => {}, prepareArgs: () => 1, processResponse: () => 2, commandTimeoutMs: () => 3 };
    const full = custom({
      executable: path,
      script: module,
      args: ['-q'],
      env: { A: 'b' },
      supportedCommands: ['x'],
      ...hooks,
    });
    expect(full).toMatchObject({ ...hooks, supportedCommands: ['x'] });
    expect(await full.prepare(context)).toMatchObject({ args: [module, '-q'], env: { A: 'b' } });
  });

  it('finds its program on the PATH, and says so when it does not', async () => {
    const { folder: bin, path } = script('tool', '');
    vi.stubEnv('PATH', bin);
    expect(await custom({ executable: 'tool' }).prepare(context)).toMatchObject({ executable: path });
    await expect(custom({ executable: 'missing', language: 'Ruby' }).prepare(context)).rejects.toThrow(
      /No Ruby interpreter found/,
    );
    await expect(custom({ executable: 'tool', script: 'nowhere.rb' }).prepare(context)).rejects.toThrow(
      "'custom.script'",
    );
  });
});

describe('options of adapters', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['python without module', () => python({} as never), /'python\.module' is undefined; allowed is a path/],
    ['an unknown key', () => python({ module: 'x', modul: 1 } as never), /unknown key 'python\.modul'/],
    ['an empty interpreter', () => python({ module: 'x', interpreter: '' }), /'python\.interpreter' is ""/],
    [
      'a web address',
      () => node({ module: new URL('https://example.com/x.js') }),
      /'node\.module' is an instance of URL/,
    ],
    ['ruby without module', () => ruby({} as never), /'ruby\.module' is undefined; allowed is a path/],
    ['gRPC in Ruby', () => ruby({ module: 'x', transport: 'grpc' } as never), /unknown key 'ruby\.transport'/],
    ['another protocol', () => node({ module: 'x', protocol: 'v3' as never }), /'node\.protocol' is "v3"/],
    [
      'a hook that is no function',
      () => custom({ executable: 'x', validate: 1 as never }),
      /'custom\.validate' is 1; allowed is a function/,
    ],
    [
      'commands that are no list',
      () => custom({ executable: 'x', supportedCommands: 'x' as never }),
      /a list of strings/,
    ],
    [
      'an environment of numbers',
      () => custom({ executable: 'x', env: { PORT: 1 } as never }),
      /'custom\.env\.PORT' is 1/,
    ],
  ])('refuse %s', (_, make, message) => {
    expect(make).toThrow(message);
  });
});

describe('transport grpc', () => {
  const over = (grpc: object, more = {}) => node({ module, transport: 'grpc', grpc, ...more });

  it('listens on a private Unix socket unless told otherwise', async () => {
    const spec = await over({}).prepare(context);
    expect(spec).toMatchObject({ protocol: 'v2', grpc: { listen: 'unix', reflection: false } });
    expect((await node({ module }).prepare(context)).grpc).toBeUndefined();
  });

  it('makes certificates, or reads those given as text and as files', async () => {
    expect((await over({ tls: true }).prepare(context)).grpc?.tls).toBe('one-time');
    const pem = '-----BEGIN CERTIFICATE-----\n';
    const path = join(folder, 'worker.pem');
    writeFileSync(path, `${pem}file`);
    const tls = { ca: pem, certificate: pem, key: pem, workerCertificate: path, workerKey: pathToFileURL(path) };
    const spec = await over({ tls }).prepare(context);
    expect(spec.grpc?.tls).toEqual({
      ca: pem,
      host: { certificate: pem, key: pem },
      worker: { certificate: `${pem}file`, key: `${pem}file` },
      serverName: 'snakepit-worker',
    });
  });

  it.each([
    { what: 'protocol v1', make: () => over({}, { protocol: 'v1' }), says: "needs protocol 'v2'" },
    { what: 'a port of a Unix socket', make: () => over({ basePort: 5000 }), says: "needs 'grpc.listen' to be 'tcp'" },
    {
      what: 'ports beyond the last',
      make: () => over({ listen: 'tcp', basePort: 65_500 }),
      says: 'leaves 36 ports',
    },
    { what: 'half of the certificates', make: () => over({ tls: { ca: 'x' } }), says: "lacks 'certificate', 'key'" },
    { what: 'an address of the network', make: () => over({ host: '0.0.0.0' }), says: "'127.0.0.1', '::1'" },
    { what: 'an unknown key', make: () => over({ port: 1 }), says: "unknown key 'node.grpc.port'" },
    {
      what: 'a zygote',
      make: () => python({ module, transport: 'grpc', zygote: true }),
      says: "'python.zygote' needs transport 'fd'",
    },
    { what: 'no address', make: () => grpc({ address: [] }), says: 'an address, or a list of addresses' },
    {
      what: 'a certificate without its key',
      make: () => grpc({ address: 'a:1', tls: { certificate: 'x' } }),
      says: "only one of 'certificate' and 'key'",
    },
  ])('refuses $what', ({ make, says }) => {
    expect(make).toThrow(says);
  });

  const bridge = (more: object) =>
    custom({ executable: process.execPath, transport: 'grpc', protocol: 'v1', ...more } as never);

  it('with protocol v1 gives bridges a port of the range', async () => {
    const spec = await bridge({ grpc: { basePort: 50_051 } }).prepare(context);
    expect(spec).toMatchObject({ protocol: 'v1', grpc: { listen: 'tcp', basePort: 50_051, portRange: 100 } });
    const attached = await grpc({ address: 'a:1', protocol: 'v1' }).prepare(context);
    expect(attached).toMatchObject({ protocol: 'v1', addresses: ['a:1'] });
  });

  it.each([
    { what: 'TLS', make: () => bridge({ grpc: { tls: true } }), says: "'custom.grpc.tls' is not for protocol 'v1'" },
    { what: 'reflection', make: () => bridge({ grpc: { reflection: true } }), says: "'custom.grpc.reflection' is not" },
    { what: 'MessagePack', make: () => bridge({ codec: 'msgpack' }), says: 'whose values are JSON' },
    { what: 'ports beyond the last', make: () => bridge({ grpc: { basePort: 65_500 } }), says: 'leaves 36 ports' },
    {
      what: 'MessagePack of attached ones',
      make: () => grpc({ address: 'a:1', protocol: 'v1', codec: 'msgpack' }),
      says: "'grpc.codec' 'msgpack' is not for protocol 'v1'",
    },
    {
      what: 'workers of our own',
      make: () => python({ module, transport: 'grpc', protocol: 'v1' }),
      says: 'by custom({ executable, script',
    },
  ])('with protocol v1 refuses $what', ({ make, says }) => {
    expect(make).toThrow(says);
  });

  it('refuses files that are no PEM, or not there', async () => {
    const tls = { ca: module, certificate: module, key: module, workerCertificate: module, workerKey: module };
    await expect(over({ tls }).prepare(context)).rejects.toThrow('which holds no PEM text');
    const adapter = grpc({ address: 'a:1', tls: { ca: './nowhere.pem' } });
    await expect(adapter.prepare(context)).rejects.toThrow("'grpc.tls.ca' names");
  });
});
