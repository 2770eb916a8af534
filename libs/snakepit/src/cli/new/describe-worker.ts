import { isAbsolute, sep } from 'node:path';

import { WORKER_TEMPLATES } from './worker-templates.js';
import type { WrittenWorker } from './write-worker.js';

/** What to do with a worker that was written: how to try it, test it, and call it in an application. */
export function describeWorker({ language, folder, name, files }: WrittenWorker): string {
  const { option, command, stream, test, adapter } = WORKER_TEMPLATES[language];
  const [worker] = files;
  const { factory, call } = adapter(isAbsolute(worker) ? worker : `./${worker.split(sep).join('/')}`);
  return `Written: ${files.join(', ')}

Try it:
  npx snakepit exec ${option} ${worker} ${command} '{"amounts":[1,2,6]}'
  npx snakepit exec ${option} ${worker} ${stream} '{"amounts":[1,2,6]}'

Test it:
  ${test(folder, name)}

In the Nest module:
  import { ${factory}, SnakepitModule } from 'nestjs-snakepit';

  imports: [SnakepitModule.forRoot(${call})],

In a controller or service:
  import { PoolService } from 'nestjs-snakepit';

  constructor(private readonly pool: PoolService) {}

  this.pool.execute('${command}', { amounts: [1, 2, 6] });
  this.pool.stream<number>('${stream}', { amounts: [1, 2, 6] });`;
}
