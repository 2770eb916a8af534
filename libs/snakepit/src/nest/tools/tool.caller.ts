import { Injectable } from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';

import type { Tool, ToolContext } from '../../runtime/index.js';
import { enhancersOf } from './tool.enhancers.js';
import { TOOL_PARAMETERS } from './tool.metadata.js';
import { takesAsGiven, toolParameters } from './tool.parameters.js';

/** What `ExecutionContext.getType()` says where a worker calls a tool. */
export const TOOL_CONTEXT_TYPE = 'snakepit';

type Method = (...args: unknown[]) => unknown;

/** Calls methods as Nest calls handlers: through guards, pipes, interceptors and exception filters, global ones included. */
@Injectable()
export class ToolCaller {
  constructor(private readonly contexts: ExternalContextCreator) {}

  of(instance: object, method: string): Tool {
    const callback = (instance as Record<string, Method>)[method]!;
    const { interceptors, pipes } = enhancersOf(this.contexts, instance, callback);
    const parameters = pipes || !takesAsGiven(instance, method) ? ([TOOL_PARAMETERS, toolParameters] as const) : [];
    const call = this.contexts.create(
      instance,
      callback,
      method,
      parameters[0],
      parameters[1],
      undefined,
      undefined,
      { guards: true, interceptors, filters: true },
      TOOL_CONTEXT_TYPE,
    ) as (args: unknown, context: ToolContext) => Promise<unknown>;
    return (args: unknown, context: ToolContext) => call(args, context).then(resolved);
  }
}

/** A filter may answer with an Observable, as those of microservices do. */
function resolved(value: unknown): unknown {
  return isObservable(value) ? lastValueFrom(value, { defaultValue: null }) : value;
}
