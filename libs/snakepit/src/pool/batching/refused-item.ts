import { SnakepitError } from '../../core/index.js';

/** Where in the arguments of a batch something is that cannot be sent. */
const ITEM = /^args\[(\d+)\]/;

/** The call of a batch that is the reason for its refusal, by its position; undefined where that is not known. */
export function culpritOf({ code, details }: SnakepitError): number | undefined {
  const { path } = details;
  if (code !== 'INVALID_ARGUMENTS' || typeof path !== 'string') return undefined;
  const found = ITEM.exec(path);
  return found === null ? undefined : Number(found[1]);
}

/** The same refusal in the words of that call, which knows of no batch. */
export function refusalOfItem({ code, details, cause }: SnakepitError): SnakepitError {
  const path = String(details['path']).replace(ITEM, 'args');
  const reason = String(details['reason']).replace(ITEM, 'args');
  return new SnakepitError(code, { ...details, path, reason }, { cause });
}

/** Whether parts of a refused batch may be sent: it is too large as a whole, or something in it cannot be sent. */
export function mayBeSplit({ code }: SnakepitError): boolean {
  return code === 'FRAME_TOO_LARGE' || code === 'INVALID_ARGUMENTS';
}
