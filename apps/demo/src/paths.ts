import { fileURLToPath } from 'node:url';

/** Seen from `src/` and from `dist/` alike, whatever the working directory is. */
const fromApp = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

export const PYTHON_WORKER = fromApp('workers/main.py');
export const NODE_WORKER = fromApp('workers/basics.js');
export const DATA_FOLDER = fromApp('data');
export const LOG_FOLDER = fromApp('data/logs');
