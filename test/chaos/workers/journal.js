// A command that writes down that it has begun before it does anything else.
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const journal = openSync(join(process.env.CHAOS_JOURNAL, `${process.pid}.journal`), 'a', 0o600);
const record = Buffer.alloc(4);

/** Returns `number`, having told the journal. */
export function numbered({ number }) {
  record.writeUInt32LE(number);
  writeSync(journal, record);
  return number;
}
