/** What a template's files say where the worker's name is to stand. */
export const NAME_IN_TEMPLATE = 'NAME';

/** A worker in one language, as `snakepit new worker` writes it; the files lie in `templates/` of the package. */
export interface WorkerTemplate {
  readonly title: string;
  /** Files by where they go, seen from the folder for workers, each with its template. The first is the worker itself. */
  readonly files: (name: string) => readonly [path: string, template: string][];
  /** Turns what was asked for into a name that the language allows. */
  readonly nameOf: (given: string) => string;
  /** What makes the adapter in the Nest module, given the path of the worker. */
  readonly adapter: (path: string) => { readonly factory: string; readonly call: string };
  /** The option of `snakepit exec` that takes the worker. */
  readonly option: string;
  readonly command: string;
  readonly stream: string;
  /** A command that runs the tests. */
  readonly test: (folder: string, name: string) => string;
}

const snake = (given: string): string => given.replaceAll('-', '_');
const kebab = (given: string): string => given.replaceAll('_', '-');

export const WORKER_TEMPLATES = {
  python: {
    title: 'Python',
    files: (name) => [
      [`${name}.py`, 'python/worker.py'],
      [`test_${name}.py`, 'python/test_worker.py'],
    ],
    nameOf: snake,
    adapter: (path) => ({ factory: 'python', call: `python({ module: '${path}' })` }),
    option: '--python',
    command: 'summarize',
    stream: 'running_totals',
    test: (folder, name) => `python3 -m unittest discover -s ${folder} -p test_${name}.py`,
  },
  node: {
    title: 'JavaScript',
    files: (name) => [
      [`${name}.mjs`, 'node/worker.mjs'],
      [`${name}.test.mjs`, 'node/worker.test.mjs'],
    ],
    nameOf: kebab,
    adapter: (path) => ({ factory: 'node', call: `node({ module: '${path}' })` }),
    option: '--node',
    command: 'summarize',
    stream: 'runningTotals',
    test: (folder, name) => `node --test ${folder}/${name}.test.mjs`,
  },
} as const satisfies Record<string, WorkerTemplate>;

export type WorkerLanguage = keyof typeof WORKER_TEMPLATES;

export const WORKER_LANGUAGES = Object.keys(WORKER_TEMPLATES) as WorkerLanguage[];
