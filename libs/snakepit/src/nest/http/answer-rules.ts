import type { ModulesContainer } from '@nestjs/core';

import type { SnakepitError } from '../../core/index.js';
import type { HttpStatuses } from '../module.options.js';

/** How failures are told to HTTP clients. */
export interface HttpAnswerOptions {
  /** Statuses of what commands raise, by type, as the module's `httpStatuses`; default none. */
  readonly httpStatuses?: HttpStatuses;
  /** Whether answers from 500 on say what has happened; default false. */
  readonly exposeMessages?: boolean;
}

const DEFAULTS: HttpAnswerOptions = Object.freeze({});

/** Those of one SnakepitModule, for what its pools have failed. */
export class AnswerRules {
  constructor(
    readonly instance: string,
    readonly options: HttpAnswerOptions,
  ) {}
}

/**
 * Those that count for an error: of the module whose pool it came from, whichever module's filter answers. What came from no pool has those of the
 * only module; where there are several, the defaults.
 */
export function rulesFor({ instance }: SnakepitError, modules: ModulesContainer): HttpAnswerOptions {
  const rules = [...modules.values()]
    .map(({ providers }) => providers.get(AnswerRules)?.instance as AnswerRules | undefined)
    .filter((each) => each !== undefined);
  const own = rules.find((each) => each.instance === instance) ?? (rules.length === 1 ? rules[0] : undefined);
  return own?.options ?? DEFAULTS;
}
