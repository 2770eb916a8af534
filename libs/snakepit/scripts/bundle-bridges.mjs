// Gathers what the published package carries besides its own dist: the worker SDKs, the golden vectors and the documents
// that live at the top of the repository. `copy` runs before packing, `remove` after it.
import { cpSync, existsSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packageDir = fileURLToPath(new URL('..', import.meta.url));
const repositoryDir = fileURLToPath(new URL('../../..', import.meta.url));

/** Paths are the same below the repository and below the package. */
const copies = [
  { path: 'bridges/python/snakepit_bridge' },
  { path: 'bridges/python/pyproject.toml', optional: true },
  { path: 'bridges/go' },
  { path: 'bridges/node/dist', remedy: 'run `npm run build` first' },
  { path: 'bridges/ruby/lib' },
  { path: 'bridges/ruby/exe' },
  { path: 'bridges/ruby/snakepit_bridge.gemspec' },
  { path: 'bridges/r/DESCRIPTION' },
  { path: 'bridges/r/LICENSE' },
  { path: 'bridges/r/NAMESPACE' },
  { path: 'bridges/r/R' },
  { path: 'bridges/r/inst' },
  { path: 'proto/vectors/values.json' },
  { path: 'README.md' },
  { path: 'LICENSE' },
  { path: 'CHANGELOG.md' },
];

const leftOut = [/^__pycache__$/, /\.pyc$/, /\.tsbuildinfo$/, /_test\.go$/, /^testdata$/, /^conformance$/];

function copy() {
  remove();
  for (const { path, optional, remedy } of copies) {
    const source = join(repositoryDir, path);
    if (existsSync(source)) {
      cpSync(source, join(packageDir, path), {
        recursive: true,
        filter: (entry) => !leftOut.some((pattern) => pattern.test(basename(entry))),
      });
    } else if (!optional) {
      remove();
      throw new Error(`Cannot pack nestjs-snakepit: ${path} is missing${remedy ? `; ${remedy}` : ''}.`);
    }
  }
}

function remove() {
  for (const path of ['bridges', 'proto', 'README.md', 'LICENSE', 'CHANGELOG.md']) {
    rmSync(join(packageDir, path), { recursive: true, force: true });
  }
}

const actions = { copy, remove };
const action = actions[process.argv[2]];
if (!action) throw new Error('Usage: bundle-bridges.mjs copy|remove');
action();
