// Makes what server reflection answers with: each file as protoc describes it, and the names that are defined in it.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import protobuf from 'protobufjs';

import { protocEnvironment } from './python.mjs';

/** The unformatted source for `files`, paths below `protoDir` that import no others; `derived` maps further paths to their texts. */
export function renderDescriptors(protoDir, files, derived, notice) {
  const folder = mkdtempSync(join(tmpdir(), 'snakepit-proto-'));
  try {
    for (const [path, text] of derived) writeInto(folder, path, text);
    const sources = [...files.map((path) => [path, readFileSync(join(protoDir, path), 'utf8')]), ...derived];
    const flags = [`-I${protoDir}`, `-I${folder}`, `--descriptor_set_out=${join(folder, 'set')}`];
    const paths = sources.map(([path]) => path);
    const command = ['-W', 'ignore', '-m', 'grpc_tools.protoc', ...flags, ...paths];
    execFileSync('python3', command, { env: protocEnvironment(), stdio: 'pipe' });
    const described = splitSet(readFileSync(join(folder, 'set')));
    const entries = sources.map(([path, text], index) => entryOf(path, text, described[index]));
    return `${notice}\n${HEAD}export const DESCRIPTORS: readonly FileDescription[] = [\n${entries.join('\n')}\n];\n`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const HEAD = `
export interface FileDescription {
  readonly path: string;
  /** Full names of all that the file defines. */
  readonly symbols: readonly string[];
  /** A google.protobuf.FileDescriptorProto in base64. */
  readonly descriptor: string;
}

`;

function writeInto(folder, path, text) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** The files of a google.protobuf.FileDescriptorSet, whose only field is a list of them with the number 1. */
function splitSet(bytes) {
  const files = [];
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    if (reader.uint32() !== 0x0a) throw new Error('protoc wrote no FileDescriptorSet');
    files.push(Buffer.from(reader.bytes()));
  }
  return files;
}

function entryOf(path, text, descriptor) {
  const { root, package: packageName } = protobuf.parse(text, new protobuf.Root(), { keepCase: true });
  const symbols = symbolsOf(root.lookup(packageName));
  return `{ path: '${path}', symbols: ${JSON.stringify(symbols)}, descriptor: '${descriptor.toString('base64')}' },`;
}

/** As reflection clients name them; the values of an enum stand beside it. */
function symbolsOf(parent) {
  return parent.nestedArray.flatMap((entry) => {
    const name = entry.fullName.slice(1);
    const members = Object.keys(entry.methods ?? entry.fields ?? {}).map((member) => `${name}.${member}`);
    return [name, ...members, ...(entry.nestedArray ? symbolsOf(entry) : [])];
  });
}
