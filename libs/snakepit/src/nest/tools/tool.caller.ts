import { Injectable } from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';

import type { Tool, ToolContext } from '../../runtime/index.js';
import { TOOL_PARAMETERS } from './tool.metadata.js';
import { hasInterceptors } from './tool.interceptors.js';
import { toolParameters } from './tool.parameters.js';

/** What `ExecutionContext.getType()` says where a worker calls a tool. */
export const TOOL_CONTEXT_TYPE = 'snakepit';

type Method = (...args: unknown[]) => unknown;

/** Calls methods as Nest calls handlers: through guards, pipes, interceptors and exception filters, global ones included. */
@Injectable()
export class ToolCaller {
  constructor(private readonly contexts: ExternalContextCreator) {}

  of(instance: object, method: string): Tool {
    const callback = (instance as Record<string, Method>)[method]!;
    const options = { guards: true, interceptors: hasInterceptors(this.contexts, instance, callback), filters: true };
    const call = this.contexts.create(
      instance,
      callback,
      method,
      TOOL_PARAMETERS,
      toolParameters,
      undefined,
      undefined,
      options,
      TOOL_CONTEXT_TYPE,
    ) as (args: unknown, context: ToolContext) => Promise<unknown>;
    return (args: unknown, context: ToolContext) => call(args, context).then(resolved);
  }
}

/** A filter may answer with an Observable, as those of microservices do. */
function resolved(value: unknown): unknown {
  return isObservable(value) ? lastValueFrom(value, { defaultValue: null }) : value;
}
