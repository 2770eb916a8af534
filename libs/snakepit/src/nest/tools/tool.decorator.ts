import { resolveOptions, SnakepitError } from '../../core/index.js';
import { labelOf } from '../commands/command.metadata.js';
import { addTool } from './tool.metadata.js';
import { toolOptionTable, type SnakepitToolOptions } from './tool.options.js';

/**
 * Lets workers call a method of a provider or controller while they run a command: `ctx.tools.price_of(sku="x")` in Python,
 * `ctx.tools.priceOf({ sku: 'x' })` in Node. The method gets what the worker gives as its first parameter, a map where arguments were named, and the
 * {@link ToolContext} as its second, or where `@SnakepitToolContext()` stands; the worker gets what it returns. Guards, pipes, interceptors and
 * exception filters apply, with the context type `snakepit`.
 *
 * The name is that of the method unless given; workers may spell it in their own way, `price.of` as `price_of` or `priceOf`.
 *
 * @example
 * \@SnakepitTool('price.of')
 * priceOf({ sku }: PriceQuery, context: ToolContext): Promise<Price> {
 *   return this.prices.find(sku);
 * }
 * @throws SnakepitError MISUSE or INVALID_OPTIONS where it cannot work, naming class and method
 */
export function SnakepitTool(name?: string, options?: SnakepitToolOptions): MethodDecorator;
export function SnakepitTool(options: SnakepitToolOptions): MethodDecorator;
export function SnakepitTool(first?: string | SnakepitToolOptions, second?: SnakepitToolOptions): MethodDecorator {
  const [name, options] = typeof first === 'object' ? [undefined, first] : [first, second];
  return (target: object, method: string | symbol, descriptor?: PropertyDescriptor) => {
    const label = labelOf(target, method);
    const isMethod = typeof descriptor?.value === 'function' && typeof target !== 'function';
    if (!isMethod || typeof method === 'symbol') {
      throw new SnakepitError('MISUSE', {
        reason: `@SnakepitTool on ${label}: it stands on something that is no method of instances with a name; put it on an ordinary method.`,
      });
    }
    const where = `@SnakepitTool on ${label}`;
    addTool(target, {
      label,
      method,
      name: name ?? method,
      options: resolveOptions(toolOptionTable, options ?? {}, where),
    });
  };
}
