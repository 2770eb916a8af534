// Runs protoc's Python plugins from a pinned grpcio-tools. The pin is old on purpose: code of protoc 25 asks for no version of the
// runtime, so that it runs with every protobuf from 4.25 on, while code of later ones refuses older and much newer runtimes.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { pythonPackages } from '../python-packages.mjs';

/** setuptools: this grpcio-tools imports pkg_resources, which later ones do without. */
const REQUIREMENTS = ['grpcio-tools==1.62.3', 'grpcio==1.62.3', 'protobuf==4.25.9', 'setuptools<81'];
const PLUGINS = ['python', 'pyi', 'grpc_python'];

/** In which `python3 -m grpc_tools.protoc` can be run. */
export function protocEnvironment() {
  return { ...process.env, PYTHONPATH: pythonPackages('snakepit-grpcio-tools', REQUIREMENTS) };
}

/** File name → source of the modules for `files`, paths below `protoDir` that import no others. */
export function generatePython(protoDir, files) {
  const env = protocEnvironment();
  const outDir = mkdtempSync(join(tmpdir(), 'snakepit-proto-'));
  try {
    const flags = [`-I${protoDir}`, ...PLUGINS.map((plugin) => `--${plugin}_out=${outDir}`)];
    const command = ['-W', 'ignore', '-m', 'grpc_tools.protoc', ...flags, ...files];
    execFileSync('python3', command, { env, stdio: 'pipe' });
    const made = readdirSync(outDir, { recursive: true }).filter((path) => /\.pyi?$/.test(path));
    return new Map(made.map((path) => [basename(path), movedModule(readFileSync(join(outDir, path), 'utf8'))]));
  } finally {
    rmSync(outDir, { recursive: true, force: true });
  }
}

/**
 * protoc places its modules where the .proto files lie; ours stand side by side in the SDK. The name by which the runtime knows a
 * file keeps its folders, so that a user's own `worker.proto` can be loaded beside it.
 */
function movedModule(source) {
  return source
    .replace(/^from snakepit\.\w+ import (\w+_pb2) as /gm, 'from . import $1 as ')
    .replace(
      /BuildTopDescriptorsAndMessages\(DESCRIPTOR, '[\w.]+', /,
      'BuildTopDescriptorsAndMessages(DESCRIPTOR, __name__, ',
    );
}
