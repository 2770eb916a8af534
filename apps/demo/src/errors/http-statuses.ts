import type { HttpStatuses } from 'nestjs-snakepit';

/** Exceptions by which the demo's commands, in Python and in Node, refuse their input: the client is told what was wrong. */
export const HTTP_STATUSES: HttpStatuses = {
  ValueError: 422,
  TypeError: 422,
  RangeError: 422,
  ExpressionError: 422,
  FileNotFoundError: 404,
};
