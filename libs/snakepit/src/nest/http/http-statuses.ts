import { option, resolveOptions, type SnakepitError } from '../../core/index.js';

/** HTTP statuses from 400 to 599 by the type of a worker's exception, exactly as `remote.type` of the error has it. */
export type HttpStatuses = Readonly<Record<string, number>>;

const httpOptionTable = {
  httpStatuses: option.integerMap({
    doc: 'The status of an answer by the type of the exception that the command raised.',
    min: 400,
    max: 599,
    default: {},
  }),
};

/** @throws SnakepitError INVALID_OPTIONS */
export function resolveHttpStatuses(given: unknown): HttpStatuses {
  return resolveOptions(httpOptionTable, { httpStatuses: given }).httpStatuses;
}

/** The status that is declared for what the command raised; undefined for other failures. */
export function declaredStatus({ code, remote }: SnakepitError, statuses: HttpStatuses): number | undefined {
  if (code !== 'REMOTE_ERROR' || remote === undefined) return undefined;
  return Object.hasOwn(statuses, remote.type) ? statuses[remote.type] : undefined;
}
