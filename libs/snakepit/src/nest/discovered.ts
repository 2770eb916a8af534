import type { DiscoveryService } from '@nestjs/core';

/** What Nest keeps of one provider or controller. */
export type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** Every provider and controller of the application, once. */
export function discovered(discovery: DiscoveryService): Wrapper[] {
  return [...discovery.getProviders(), ...discovery.getControllers()].filter(({ isAlias }) => !isAlias);
}

/** The class that Nest makes the instances of; undefined where a factory or a value provider gives them. */
export function classOf({ metatype, inject }: Wrapper): Function | undefined {
  return typeof metatype === 'function' && !Array.isArray(inject) ? metatype : undefined;
}

/** The prototypes of a provider's class and its ancestors, its own first; none for what is no object. */
export function lineageOf(wrapper: Wrapper): object[] {
  const instance: unknown = wrapper.instance;
  let prototype: unknown = classOf(wrapper)?.prototype ?? (isObject(instance) ? Object.getPrototypeOf(instance) : null);
  const lineage: object[] = [];
  while (isObject(prototype) && prototype !== Object.prototype) {
    lineage.push(prototype);
    prototype = Object.getPrototypeOf(prototype);
  }
  return lineage;
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
