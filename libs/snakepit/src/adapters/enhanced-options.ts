import { option, SnakepitError, type OptionsResolved } from '../core/index.js';
import { absolutePath, existingFile } from './common-options.js';

const PERMISSIONS = ['network', 'processes', 'pickle'] as const;
const MODULE_NAME = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(\.\*)?$/;

/** What workers of Python do for callers beside the commands of their module: `python({ enhanced })`. */
export const enhancedOptionTable = {
  allow: option.value(isAllowList, "a list of modules such as 'math', or 'sklearn.*' with all that is in it", {
    doc: 'What may be called: modules (`math`), packages with all that is in them (`sklearn.*`), single objects (`json.loads`). What runs code, such as `os` or `pickle`, is refused.',
  }),
  plugins: option.strings({
    doc: 'Python files, or names of modules, that register serializers and plugins; see [Python libraries](python.md#plugins).',
    default: [],
  }),
  read: option.strings({ doc: 'Folders whose files called functions may read.', default: [] }),
  write: option.strings({ doc: 'Folders whose files called functions may read and write.', default: [] }),
  permit: option.value(isPermissions, `a list of ${PERMISSIONS.map((each) => `'${each}'`).join(', ')}`, {
    doc: 'What called functions may do besides: use the network, start processes, unpickle.',
    default: [],
  }),
  maxObjects: option.integer({ doc: 'How many objects a session may store.', default: 100, min: 1, max: 100_000 }),
  maxBytes: option.integer({
    doc: 'What the objects of a session may take together, as far as that can be measured.',
    unit: 'bytes',
    default: 2 ** 30,
    min: 1024,
    max: 2 ** 40,
  }),
  maxValues: option.integer({
    doc: 'How many values a result may have, lists and maps and what is in them counted one by one; arrays and tables are binary, and count once.',
    default: 100_000,
    min: 1,
    max: 2 ** 23,
  }),
};

type EnhancedOptions = OptionsResolved<typeof enhancedOptionTable>;

/** The arguments that make a worker serve library commands. */
export function enhancedArgs({ plugins, read, write, ...options }: EnhancedOptions): string[] {
  const settings = {
    ...options,
    plugins: plugins.map((plugin) =>
      plugin.endsWith('.py') ? existingFile(plugin, 'python.enhanced.plugins') : plugin,
    ),
    read: read.map(absolutePath),
    write: write.map(absolutePath),
  };
  return ['--enhanced', JSON.stringify(settings)];
}

/** What loads as a module where a worker has no commands of its own. */
export const NO_MODULE = 'snakepit_bridge.enhanced';

/** @throws SnakepitError INVALID_OPTIONS where protocol v1 is asked for, which knows no sessions */
export function checkEnhanced(enhanced: unknown, protocol: string): void {
  if (enhanced === false || protocol !== 'v1') return;
  throw new SnakepitError('INVALID_OPTIONS', {
    reason: `'python.enhanced' needs protocol 'v2'; 'v1' has no sessions to store objects in.`,
    option: 'python.enhanced',
  });
}

function isAllowList(given: unknown): given is readonly string[] {
  return (
    Array.isArray(given) &&
    given.length > 0 &&
    given.every((each) => typeof each === 'string' && MODULE_NAME.test(each))
  );
}

function isPermissions(given: unknown): given is readonly (typeof PERMISSIONS)[number][] {
  return Array.isArray(given) && given.every((each) => (PERMISSIONS as readonly unknown[]).includes(each));
}
