/** A worker in one language, as `snakepit new worker` writes it; the files lie in `templates/` of the package. */
export interface WorkerTemplate {
  readonly title: string;
  /** Files by where they go, seen from the folder for workers, each with its template. */
  readonly files: (name: string) => readonly [path: string, template: string][];
  /** The file or folder that the adapter takes, seen from there too. */
  readonly target: (name: string) => string;
  /** Turns what was asked for into a name that the language allows. */
  readonly nameOf: (given: string) => string;
  /** The option of the adapter that takes the worker; the adapter has the name of the language. */
  readonly adapterOption: string;
  readonly command: string;
  readonly stream: string;
  /** A command that runs the tests; `bridge` finds a file of the SDK. */
  readonly test: (folder: string, name: string, bridge: (path: string) => string) => string;
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
    target: (name) => `${name}.py`,
    nameOf: snake,
    adapterOption: 'module',
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
    target: (name) => `${name}.mjs`,
    nameOf: kebab,
    adapterOption: 'module',
    command: 'summarize',
    stream: 'runningTotals',
    test: (folder, name) => `node --test ${folder}/${name}.test.mjs`,
  },
  ruby: {
    title: 'Ruby',
    files: (name) => [
      [`${name}.rb`, 'ruby/worker.rb'],
      [`test_${name}.rb`, 'ruby/test_worker.rb'],
    ],
    target: (name) => `${name}.rb`,
    nameOf: snake,
    adapterOption: 'module',
    command: 'summarize',
    stream: 'running_totals',
    test: (folder, name, bridge) => `ruby -I ${bridge('ruby/lib')} ${folder}/test_${name}.rb`,
  },
  go: {
    title: 'Go',
    // Of another ending in the package, where tools of Go would take them for its own.
    files: (name) => [
      [`${name}/main.go`, 'go/main.go.txt'],
      [`${name}/main_test.go`, 'go/main_test.go.txt'],
      [`${name}/go.mod`, 'go/go.mod.txt'],
    ],
    target: (name) => name,
    nameOf: kebab,
    adapterOption: 'package',
    command: 'summarize',
    stream: 'running_totals',
    test: (folder, name) => `cd ${folder}/${name} && go test ./...`,
  },
  r: {
    title: 'R',
    files: (name) => [
      [`${name}.R`, 'r/worker.R'],
      [`test_${name}.R`, 'r/test_worker.R'],
    ],
    target: (name) => `${name}.R`,
    nameOf: snake,
    adapterOption: 'module',
    command: 'summarize',
    stream: 'running_totals',
    test: (folder, name) => `cd ${folder} && Rscript test_${name}.R`,
  },
} as const satisfies Record<string, WorkerTemplate>;

export type WorkerLanguage = keyof typeof WORKER_TEMPLATES;

export const WORKER_LANGUAGES = Object.keys(WORKER_TEMPLATES) as WorkerLanguage[];
