import { resolveOptions, SnakepitError } from '../../core/index.js';
import { poolClientOptionTable, type PoolClientOptions } from './client.options.js';
import { setClient } from './client.metadata.js';

/**
 * Makes a class whose members are commands of a pool: `SnakepitModule.forFeature([MlClient])` provides it, for injection and for
 * `overrideProvider(MlClient)` in tests.
 *
 * @example
 * \@PoolClient({ pool: 'ml' })
 * export abstract class MlClient {
 *   \@PoolCommand({ timeoutMs: 2_000 }) readonly predict!: Command<{ rows: number[][] }, Prediction[]>;
 *   \@PoolCommand({ stream: true }) readonly train!: StreamCommand<{ epochs: number }, Epoch>;
 * }
 * @throws SnakepitError MISUSE or INVALID_OPTIONS where it cannot work, naming the class
 */
export function PoolClient(options: PoolClientOptions = {}): ClassDecorator {
  return (type: Function) => {
    if (type.length > 0) {
      const remedy =
        'Nest does not make it, so nothing can be injected; move what needs other providers into one that injects the client';
      const reason = `@PoolClient on ${type.name}: its constructor has parameters. ${remedy}.`;
      throw new SnakepitError('MISUSE', { reason });
    }
    setClient(type, resolveOptions(poolClientOptionTable, options, `@PoolClient on ${type.name}`));
  };
}
