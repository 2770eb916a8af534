import { SnakepitError } from '../../core/index.js';
import { addSessionParameter, labelOf } from './command.metadata.js';

/**
 * Marks the parameter of a `@SnakepitCommand` method that is the id of the session the call belongs to. It is not among the
 * arguments unless the body puts it there.
 */
export function SessionId(): ParameterDecorator {
  return (target, method, index) => {
    if (method === undefined || typeof target === 'function') {
      const where = method === undefined ? `the constructor of ${nameOf(target)}` : labelOf(target, method);
      const reason = `@SessionId() on ${where}: it belongs on a parameter of a @SnakepitCommand method.`;
      throw new SnakepitError('MISUSE', { reason });
    }
    addSessionParameter(target, { label: labelOf(target, method), method, index });
  };
}

function nameOf(target: object): string {
  return typeof target === 'function' ? target.name : target.constructor.name;
}
