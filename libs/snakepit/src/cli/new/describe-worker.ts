import { isAbsolute, relative, sep } from 'node:path';

import { locateBridge } from '../../adapters/bridge-location.js';
import { WORKER_TEMPLATES } from './worker-templates.js';
import type { WrittenWorker } from './write-worker.js';

/** What to do with a worker that was written: how to try it, test it, and call it in an application. */
export function describeWorker({ language, folder, name, target, files }: WrittenWorker): string {
  const { command, stream, test, adapterOption } = WORKER_TEMPLATES[language];
  const path = isAbsolute(target) ? target : `./${target.split(sep).join('/')}`;
  const bridge = (file: string) => relative('.', locateBridge(file));
  return `Written: ${files.join(', ')}

Try it:
  npx snakepit exec --${language} ${target} ${command} '{"amounts":[1,2,6]}'
  npx snakepit exec --${language} ${target} ${stream} '{"amounts":[1,2,6]}'

Test it:
  ${test(folder, name, bridge)}

In the Nest module:
  import { ${language}, SnakepitModule } from 'nestjs-snakepit';

  imports: [SnakepitModule.forRoot(${language}({ ${adapterOption}: '${path}' }))],

In a controller or service:
  import { PoolService } from 'nestjs-snakepit';

  constructor(private readonly pool: PoolService) {}

  this.pool.execute('${command}', { amounts: [1, 2, 6] });
  this.pool.stream<number>('${stream}', { amounts: [1, 2, 6] });`;
}
