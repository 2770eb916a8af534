import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';

import { SnakepitError } from '../../core/index.js';
import { classOf, discovered, isObject, lineageOf, type Wrapper } from '../discovered.js';
import { declarationsOf, RUNNER, sessionParametersOf, type CommandDeclaration } from './command.metadata.js';
import { CommandRunner } from './command.runner.js';

/** Finds the commands that the providers and controllers of this application declare. */
@Injectable()
export class CommandExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly runner: CommandRunner,
  ) {}

  /** @throws SnakepitError MISUSE for a `@SessionId()` on a method without `@SnakepitCommand`. */
  explore(): ReadonlySet<CommandDeclaration> {
    const declarations = new Set<CommandDeclaration>();
    const prototypes = new Set<object>();
    for (const wrapper of discovered(this.discovery)) {
      if (this.#isForeign(wrapper)) continue;
      const lineage = lineageOf(wrapper);
      const found = lineage.flatMap(declarationsOf);
      for (const declaration of found) declarations.add(declaration);
      for (const prototype of lineage) prototypes.add(prototype);
      if (found.length > 0) this.#equip(wrapper);
    }
    for (const prototype of prototypes) assertSessionsBelongToCommands(prototype);
    return declarations;
  }

  /** Whether the class belongs to another `SnakepitModule` of this application, the one that its own module imports. */
  #isForeign(wrapper: Wrapper): boolean {
    const injected = wrapper.getPropertiesMetadata()?.find(({ key }) => key === RUNNER);
    return injected !== undefined && injected.wrapper.instance !== this.runner;
  }

  /** Nest sets the properties of what it constructs; what a factory or a value provider gave is equipped here. */
  #equip(wrapper: Wrapper): void {
    const instance: unknown = wrapper.instance;
    if (classOf(wrapper) !== undefined || !isObject(instance)) return;
    Object.defineProperty(instance, RUNNER, { value: this.runner, configurable: true });
  }
}

function assertSessionsBelongToCommands(prototype: object): void {
  const commands = new Set(declarationsOf(prototype).map(({ method }) => method));
  const stray = sessionParametersOf(prototype).find(({ method }) => !commands.has(method));
  if (stray === undefined) return;
  throw new SnakepitError('MISUSE', {
    reason: `@SessionId() on ${stray.label}: the method is no command; put @SnakepitCommand() on it or remove @SessionId().`,
  });
}
