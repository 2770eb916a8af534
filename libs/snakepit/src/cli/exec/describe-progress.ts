import { toJsonText } from '../json-text.js';

const BAR_CELLS = 24;

/** Members by which workers commonly say how much is done, and of how much. */
const DONE = ['done', 'current', 'completed', 'step', 'epoch'] as const;
const TOTAL = ['total', 'of', 'steps', 'epochs'] as const;
const FRACTION = ['fraction', 'progress'] as const;

/** What a worker reports by `ctx.progress` as one line: a bar where it says how far it is, and whatever else it says. */
export function describeProgress(value: unknown, columns: number): string {
  const fraction = fractionOf(value);
  const text = oneLine(typeof value === 'string' ? value : toJsonText(value));
  if (fraction === undefined) return text.slice(0, columns);
  const filled = Math.round(fraction * BAR_CELLS);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_CELLS - filled)} ${String(Math.floor(fraction * 100)).padStart(3)} %`;
  return (typeof value === 'number' ? bar : `${bar}  ${text}`).slice(0, columns);
}

function fractionOf(value: unknown): number | undefined {
  if (typeof value === 'number') return within(value);
  if (Array.isArray(value)) return value.length === 2 ? ratio(value[0], value[1]) : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const members = value as Readonly<Record<string, unknown>>;
  const first = (names: readonly string[]) => names.map((name) => members[name]).find((each) => each !== undefined);
  const { percent } = members;
  return (
    ratio(first(DONE), first(TOTAL)) ??
    within(first(FRACTION)) ??
    (typeof percent === 'number' ? within(percent / 100) : undefined)
  );
}

function ratio(done: unknown, total: unknown): number | undefined {
  return typeof done === 'number' && typeof total === 'number' && total > 0 ? within(done / total) : undefined;
}

function within(fraction: unknown): number | undefined {
  return typeof fraction === 'number' && fraction >= 0 && fraction <= 1 ? fraction : undefined;
}

/** Without line breaks and escape sequences, which would move the cursor. */
function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
