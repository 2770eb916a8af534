// What the npm package holds, and where it comes from. Paths are below the repository, and below the package.

/** Folders and files as they are. */
export const COPIED = [
  'bridges/python/snakepit_bridge',
  'bridges/python/pyproject.toml',
  'bridges/go',
  'bridges/ruby/lib',
  'bridges/ruby/exe',
  'bridges/ruby/snakepit_bridge.gemspec',
  'bridges/r/DESCRIPTION',
  'bridges/r/LICENSE',
  'bridges/r/NAMESPACE',
  'bridges/r/R',
  'bridges/r/inst',
  'proto/vectors/values.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
];

/** Folders of the library itself, which are moved to the top of the package. */
export const OF_LIBRARY = ['templates'];

/** Folders that the compiler fills: their JavaScript goes along without comments, their declarations are rolled up. */
export const COMPILED = [
  { from: 'libs/snakepit/dist', to: 'dist' },
  { from: 'bridges/node/dist', to: 'bridges/node/dist' },
];

/**
 * The Python SDK goes along without comments. Its rooms that authors of workers import nothing from go without docstrings too,
 * which are in the wheel.
 */
export const PYTHON = {
  package: 'bridges/python/snakepit_bridge',
  interior: ['codec', 'contracts', 'environment', 'grpc', 'v1', 'v2', 'zygote'],
};

/** Names of files and folders that workers and applications do without. */
const LEFT_OUT = [
  /^__pycache__$/,
  /\.pyc$/,
  // Types of modules that only the Python SDK itself imports.
  /_pb2\.pyi$/,
  /_test\.go$/,
  /^testdata$/,
  /^conformance$/,
  /^\.DS_Store$/,
];

/** Below `libs/snakepit/dist`: what tests of this repository use. */
const TEST_SUPPORT = /^(testing\/(fuzz|simulation)\/|session\/store-contract\.)/;

/** @param {string} name of a file or folder, without its folder */
export function isLeftOut(name) {
  return LEFT_OUT.some((pattern) => pattern.test(name));
}

/** @param {string} path below a folder of COMPILED */
export function isPublishedScript(path) {
  return /\.c?js$/.test(path) && !TEST_SUPPORT.test(path);
}
