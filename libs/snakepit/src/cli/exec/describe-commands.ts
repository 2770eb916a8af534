import type { CommandManifest } from '../../runtime/index.js';

/** A line for each command that a worker offers. */
export function describeCommands(commands: readonly CommandManifest[] | undefined): string {
  if (commands === undefined) return 'This worker does not tell its commands; see its documentation.';
  const rows = commands.map((command) => [command.name + parametersOf(command), command.kind, firstLine(command.doc)]);
  const width = (column: number) => Math.max(0, ...rows.map((row) => row[column]!.length));
  const [names, kinds] = [width(0), width(1)];
  return rows.map(([name, kind, doc]) => `${name!.padEnd(names)}  ${kind!.padEnd(kinds)}  ${doc}`.trimEnd()).join('\n');
}

/** Such as `(a, b?)`, where the manifest has a schema of named arguments. */
function parametersOf({ schema }: CommandManifest): string {
  const { properties, required } = schema ?? {};
  if (typeof properties !== 'object' || properties === null) return '';
  const needed = new Set(Array.isArray(required) ? required : []);
  return `(${Object.keys(properties)
    .map((name) => (needed.has(name) ? name : `${name}?`))
    .join(', ')})`;
}

function firstLine(doc = ''): string {
  return doc.trim().split('\n', 1)[0]!;
}
