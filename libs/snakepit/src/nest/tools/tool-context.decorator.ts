import { SnakepitError } from '../../core/index.js';
import { labelOf } from '../commands/command.metadata.js';
import { addContextParameter } from './tool.metadata.js';

/** Marks the parameter of a `@SnakepitTool` method that gets the {@link ToolContext}, where that is not the second one. */
export function SnakepitToolContext(): ParameterDecorator {
  return (target, method, index) => {
    if (method === undefined || typeof target === 'function') {
      const where = method === undefined ? `the constructor of ${nameOf(target)}` : labelOf(target, method);
      const reason = `@SnakepitToolContext() on ${where}: it belongs on a parameter of a @SnakepitTool method.`;
      throw new SnakepitError('MISUSE', { reason });
    }
    addContextParameter(target, { label: labelOf(target, method), method, index });
  };
}

function nameOf(target: object): string {
  return typeof target === 'function' ? target.name : target.constructor.name;
}
