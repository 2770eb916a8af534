import { SNAKEPIT_VERSION } from 'nestjs-snakepit/codec';

/** What the hello of every protocol tells of this process. */
export const SELF = {
  protocol: 2,
  language: 'javascript',
  runtime: { name: 'Node.js', version: process.versions.node },
  sdk: { name: 'snakepit-bridge', version: SNAKEPIT_VERSION },
  pid: process.pid,
} as const;
