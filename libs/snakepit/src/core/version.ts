import { createRequire } from 'node:module';

const manifest = createRequire(import.meta.url)('../../package.json') as { readonly version: string };

/** Version of the installed `nestjs-snakepit` package. */
export const SNAKEPIT_VERSION: string = manifest.version;
