import { Logger } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';

import type { SnakepitError } from '../../core/index.js';
import { rulesFor, type HttpAnswerOptions } from './answer-rules.js';
import { isFault, toErrorBody, type SnakepitErrorBody } from './error-body.js';

const logger = new Logger('Snakepit');

/** What the client of a request is told of its failure, by the rules of the module that it came from. What it must not be told is logged. */
export function answerTo(error: SnakepitError, modules: ModulesContainer): SnakepitErrorBody {
  return answerBy(rulesFor(error, modules), error);
}

/** The same, by rules that are known. */
export function answerBy(rules: HttpAnswerOptions, error: SnakepitError): SnakepitErrorBody {
  const body = toErrorBody(error, rules);
  if (isFault(error, body.statusCode)) log(error);
  return body;
}

function log({ id, message, details, remote, stack }: SnakepitError): void {
  const { command, pool, worker } = details;
  const told = Object.entries({ id, command, pool, worker }).filter(([, value]) => value !== undefined);
  logger.error(message, Object.fromEntries(told), remote?.traceback || stack);
}
