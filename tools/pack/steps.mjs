// What `npm run pack:all` makes, one after the other, and what it checks of each.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

import { pythonPackages } from '../python-packages.mjs';
import { tarballProblems } from './check-tarball.mjs';
import { installedLicences } from './licences.mjs';
import { packNpmPackage } from './npm-package.mjs';

/** Pinned, so that the same sources give the same packages. */
export const PYTHON_BUILD = ['build==1.3.0', 'setuptools==80.9.0'];

/** @typedef {{ repository: string, out: string }} Place where things are, and where they go */

/** Each returns what is to be told of it, and throws where something is wrong. */
export const STEPS = {
  'npm tarball': async ({ repository, out }) => {
    const tarball = await packNpmPackage({ repository, out });
    const problems = await tarballProblems(tarball);
    if (problems.length > 0) throw new Error(problems.join('\n'));
    return `${basename(tarball)}, ${kilobytes(tarball)}; publint and arethetypeswrong find nothing`;
  },
  licences: ({ repository }) => {
    const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8'));
    const installed = installedLicences(lock, 'libs/snakepit');
    const refused = installed.filter(({ isAllowed }) => !isAllowed);
    const named = (rows) => rows.map(({ name, version, licence }) => `${name} ${version} (${licence})`).join(', ');
    if (refused.length > 0) throw new Error(`not on the list of tools/pack/licences.mjs: ${named(refused)}`);
    return named(installed);
  },
  'Python wheel and sdist': ({ repository, out }) =>
    withCopy(join(repository, 'bridges/python'), (folder) => {
      cpSync(join(repository, 'LICENSE'), join(folder, 'LICENSE'));
      const env = { ...process.env, PYTHONPATH: pythonPackages('snakepit-build', PYTHON_BUILD) };
      run('python3', ['-m', 'build', '--no-isolation', '--outdir', out], folder, env);
      const [wheel, sdist] = [newest(out, '.whl'), newest(out, '.tar.gz')];
      const names = run('python3', ['-m', 'zipfile', '-l', wheel], folder);
      for (const needed of ['snakepit_bridge/py.typed', 'licenses/LICENSE', 'entry_points.txt']) {
        if (!names.includes(needed)) throw new Error(`${basename(wheel)} lacks ${needed}`);
      }
      return `${basename(wheel)}, ${kilobytes(wheel)}; ${basename(sdist)}, ${kilobytes(sdist)}`;
    }),
  'Ruby gem': ({ repository, out }) =>
    withCopy(join(repository, 'bridges/ruby'), (folder) => {
      cpSync(join(repository, 'LICENSE'), join(folder, 'LICENSE'));
      const specification = readdirSync(folder).find((name) => name.endsWith('.gemspec'));
      run('gem', ['build', specification], folder);
      const gem = newest(folder, '.gem');
      cpSync(gem, join(out, basename(gem)));
      return `${basename(gem)}, ${kilobytes(gem)}`;
    }),
  'R package': ({ repository, out }) =>
    withCopy(join(repository, 'bridges/r'), (folder) => {
      run('R', ['CMD', 'build', '--no-manual', '--no-build-vignettes', folder], out);
      const built = newest(out, '.tar.gz');
      return `${basename(built)}, ${kilobytes(built)}`;
    }),
  'Go module': ({ repository, out }) =>
    withCopy(join(repository, 'bridges/go'), (folder) => {
      cpSync(join(repository, 'LICENSE'), join(folder, 'LICENSE'));
      run('go', ['vet', './...'], folder);
      const archive = join(out, 'snakepit-go.tar.gz');
      run('tar', ['-czf', archive, '-C', dirname(folder), basename(folder)], repository);
      return `${basename(archive)}, ${kilobytes(archive)}`;
    }),
  'API reference': ({ repository, out }) => {
    const log = run('npx', ['typedoc', '--options', 'typedoc.json', '--out', join(out, 'api')], repository);
    return log.trim().split('\n').at(-1);
  },
};

/** Steps of SDKs that are not there. */
const SDK_OF_STEP = { 'Ruby gem': 'bridges/ruby', 'R package': 'bridges/r', 'Go module': 'bridges/go' };

export function isPossible(step, repository) {
  return !(step in SDK_OF_STEP) || existsSync(join(repository, SDK_OF_STEP[step]));
}

/** @throws Error with all that the program said */
function run(program, args, cwd, env = process.env) {
  try {
    return execFileSync(program, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const said = `${error.stdout ?? ''}${error.stderr ?? ''}`.trim();
    throw new Error(`${program} ${args.join(' ')}: ${said || error.message}`, { cause: error });
  }
}

/** Builders leave files beside what they build. */
function withCopy(source, use) {
  const base = mkdtempSync(join(tmpdir(), 'snakepit-pack-'));
  const folder = join(base, basename(source));
  try {
    cpSync(source, folder, {
      recursive: true,
      filter: (path) => !/(^|\/)(__pycache__|build|[^/]*\.egg-info|[^/]*_test\.go|testdata|conformance)$/.test(path),
    });
    return use(folder);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

function newest(folder, ending) {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));
  const byTime = files.toSorted((one, other) => modified(other) - modified(one));
  if (byTime.length === 0) throw new Error(`there is no file ${ending} in ${folder}`);
  return byTime[0];
}

function modified(path) {
  return statSync(path).mtimeMs;
}

function kilobytes(path) {
  return `${Math.round(statSync(path).size / 1000)} kB`;
}
