// Makes the tarball that is published from what was built.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { orderTarball } from './order-tarball.mjs';
import { COMPILED, COPIED, isLeftOut, isPublishedScript, OF_LIBRARY, PYTHON } from './package-files.mjs';
import { rollUpDeclarations } from './roll-up-declarations.mjs';
import { stripComments } from './strip-comments.mjs';

/**
 * @param {{ repository: string, out: string }} place the repository, built, which is only read; where the tarball goes
 * @returns {Promise<string>} the tarball's path
 * @throws Error that names what is missing
 */
export async function packNpmPackage({ repository, out }) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'snakepit-package-')));
  try {
    await gatherPackage(repository, folder);
    const [{ filename }] = JSON.parse(npmPack(folder, out));
    const tarball = join(out, filename);
    writeFileSync(tarball, orderTarball(readFileSync(tarball)));
    return tarball;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function gatherPackage(repository, folder) {
  const library = join(repository, 'libs/snakepit');
  const {
    scripts: _,
    devDependencies: __,
    ...manifest
  } = JSON.parse(readFileSync(join(library, 'package.json'), 'utf8'));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const path of COPIED) copy(join(repository, path), join(folder, path));
  for (const path of OF_LIBRARY) copy(join(library, path), join(folder, path));
  stripPython(join(folder, PYTHON.package), PYTHON.interior);
  for (const { from, to } of COMPILED) copyScripts(join(repository, from), join(folder, to));
  await rollUpDeclarations({
    exports: manifest.exports,
    places: COMPILED.map(({ from, to }) => ({ from: join(repository, from), to })),
    out: folder,
  });
}

function copy(from, to) {
  if (!existsSync(from)) throw new Error(`${from} is missing`);
  cpSync(from, to, { recursive: true, filter: (entry) => !isLeftOut(basename(entry)) });
}

function copyScripts(from, to) {
  if (!existsSync(from)) throw new Error(`${from} is missing: run 'npm run build' first`);
  for (const path of readdirSync(from, { recursive: true, encoding: 'utf8' }).filter(isPublishedScript)) {
    mkdirSync(dirname(join(to, path)), { recursive: true });
    writeFileSync(join(to, path), stripComments(readFileSync(join(from, path), 'utf8')));
  }
}

/** Only Python itself tells its comments and docstrings from what looks like them. */
function stripPython(folder, interior) {
  const script = fileURLToPath(new URL('strip_python.py', import.meta.url));
  execFileSync('python3', [script, folder, ...interior], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** What npm says of the tarball, as JSON. */
function npmPack(folder, out) {
  try {
    // Settings that an npm script above this one got are those of the repository.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));
    const args = ['pack', '--json', '--pack-destination', out];
    return execFileSync('npm', args, { cwd: folder, env, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    throw new Error(`npm pack: ${error.stderr || error.message}`, { cause: error });
  }
}
