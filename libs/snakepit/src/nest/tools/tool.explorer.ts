import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';

import { SnakepitError, Snakepit } from '../../runtime/index.js';
import { discovered, isObject, lineageOf, type Wrapper } from '../discovered.js';
import { ToolCaller } from './tool.caller.js';
import { contextParametersOf, toolsOf, type ToolDeclaration } from './tool.metadata.js';
import { describeParameters } from './tool.parameters.js';

/** Finds the tools that the providers and controllers of this application declare, and lets workers call them. */
@Injectable()
export class ToolExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly snakepit: Snakepit,
    private readonly caller: ToolCaller,
  ) {}

  /**
   * @throws SnakepitError MISUSE for tools of one name, of providers that have no single instance, and for a `@SnakepitToolContext()` on a
   * method that is no tool; INVALID_OPTIONS for a pool whose option `tools` names one that there is not.
   */
  explore(): void {
    const prototypes = new Set<object>();
    for (const wrapper of discovered(this.discovery)) {
      const lineage = lineageOf(wrapper);
      for (const prototype of lineage) prototypes.add(prototype);
      for (const declaration of declared(lineage)) this.#register(wrapper, lineage, declaration);
    }
    for (const prototype of prototypes) assertContextsBelongToTools(prototype);
    this.snakepit.tools.checkAllowed();
  }

  #register(wrapper: Wrapper, lineage: readonly object[], declaration: ToolDeclaration): void {
    const { label, name, method } = declaration;
    const instance: unknown = wrapper.instance;
    if (!isObject(instance) || wrapper.isTransient || !wrapper.isDependencyTreeStatic()) {
      throw misuse(
        label,
        `its provider is made anew for every request or injection, and a worker's call is neither; give it the default scope, and ` +
          `whatever it injects, or get those by ModuleRef.resolve()`,
      );
    }
    describeParameters(declaration, lineage, instance);
    const { pools } = declaration.options;
    const options = { pools, label: `@SnakepitTool on ${label}` };
    this.snakepit.tools.register(name, this.caller.of(instance, method), options);
  }
}

/** The tools of a class and its ancestors; a method that is overridden is one tool. */
function declared(lineage: readonly object[]): ToolDeclaration[] {
  const byMethod = new Map<string, ToolDeclaration>();
  for (const declaration of lineage.flatMap(toolsOf)) {
    const { method, label, name } = declaration;
    const known = byMethod.get(method);
    // Of two decorators on one method the lower one comes first.
    if (known?.label === label)
      throw misuse(label, `it stands there twice, as '${known.name}' and '${name}'; keep one`);
    if (known === undefined) byMethod.set(method, declaration);
  }
  return [...byMethod.values()];
}

function assertContextsBelongToTools(prototype: object): void {
  const tools = new Set<string | symbol>(toolsOf(prototype).map(({ method }) => method));
  const stray = contextParametersOf(prototype).find(({ method }) => !tools.has(method));
  if (stray === undefined) return;
  throw new SnakepitError('MISUSE', {
    reason: `@SnakepitToolContext() on ${stray.label}: the method is no tool; put @SnakepitTool() on it or remove @SnakepitToolContext().`,
  });
}

function misuse(label: string, what: string): SnakepitError {
  return new SnakepitError('MISUSE', { reason: `@SnakepitTool on ${label}: ${what}.` });
}
