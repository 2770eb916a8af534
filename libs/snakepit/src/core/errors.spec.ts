import { describe, expect, it } from 'vitest';

import { ERRORS, isSnakepitError, SnakepitError, toError, type ErrorCode } from './errors.js';

/** The contract with callers, HTTP clients and gRPC clients; a change here is a breaking change. */
const CONTRACT: Record<ErrorCode, readonly [http: number, grpc: number, delivery: string, retryable: boolean]> = {
  INVALID_OPTIONS: [500, 9, 'not-started', false],
  MISUSE: [500, 9, 'not-started', false],
  INTERPRETER_NOT_FOUND: [500, 9, 'not-started', false],
  ENVIRONMENT_FAILED: [503, 14, 'not-started', true],
  BUILD_FAILED: [503, 14, 'not-started', false],
  WORKER_START_FAILED: [503, 14, 'not-started', true],
  WORKER_UNREACHABLE: [503, 14, 'not-started', true],
  POOL_NOT_FOUND: [500, 5, 'not-started', false],
  POOL_NOT_READY: [503, 14, 'not-started', true],
  POOL_CLOSED: [503, 14, 'not-started', false],
  POOL_SATURATED: [503, 8, 'not-started', true],
  QUEUE_TIMEOUT: [503, 14, 'not-started', true],
  CALL_TIMEOUT: [504, 4, 'may-have-run', false],
  CANCELLED: [499, 1, 'may-have-run', false],
  WORKER_EXITED: [503, 14, 'may-have-run', true],
  WORKER_LOST: [503, 14, 'may-have-run', true],
  COMMAND_TAINTED: [503, 14, 'not-started', true],
  UNKNOWN_COMMAND: [404, 12, 'not-started', false],
  INVALID_ARGUMENTS: [422, 3, 'not-started', false],
  INVALID_RESULT: [502, 13, 'ran', false],
  REMOTE_ERROR: [500, 2, 'ran', false],
  PROTOCOL_ERROR: [502, 13, 'may-have-run', false],
  FRAME_TOO_LARGE: [413, 8, 'not-started', false],
  INPUT_FAILED: [500, 13, 'may-have-run', false],
  UNSUPPORTED: [501, 12, 'not-started', false],
  SESSION_NOT_FOUND: [404, 5, 'not-started', false],
  SESSION_EXISTS: [409, 6, 'not-started', false],
  SESSION_LIMIT: [503, 8, 'not-started', true],
  SESSION_WORKER_UNAVAILABLE: [503, 14, 'not-started', true],
  NESTED_TOO_DEEP: [500, 9, 'not-started', false],
  NESTED_DEADLOCK: [503, 8, 'not-started', true],
};

const codes = Object.keys(ERRORS) as ErrorCode[];

describe('the table of errors', () => {
  it('has no code outside the contract and none is missing', () => {
    expect(codes.toSorted()).toEqual(Object.keys(CONTRACT).toSorted());
  });

  it.each(codes)('%s keeps its HTTP status, gRPC status, delivery and retryability', (code) => {
    const error = new SnakepitError(code, {});
    expect([error.httpStatus, error.grpcStatus, error.delivery, error.retryable]).toEqual(CONTRACT[code]);
  });

  it.each(codes)('%s has a message that needs no detail and shows no undefined', (code) => {
    const { message } = new SnakepitError(code);
    expect(message.length).toBeGreaterThan(10);
    expect(message).not.toMatch(/undefined|null|\[object/);
  });

  it.each([
    [
      'QUEUE_TIMEOUT',
      { command: 'slow', pool: 'ml', waitedMs: 5000, queueTimeoutMs: 5000, queued: 7 },
      /'queueTimeoutMs'/,
    ],
    ['QUEUE_TIMEOUT', { waitedMs: 12, busy: 2, workers: 4 }, /12 ms .*2 of 4 workers/],
    ['CALL_TIMEOUT', { command: 'slow', timeoutMs: 40 }, /'slow' did not finish within 40 ms.*Raise 'timeoutMs'/],
    ['POOL_SATURATED', { pool: 'ml', queued: 10, maxQueue: 10 }, /raise 'size' or 'maxQueue'/],
    [
      'POOL_SATURATED',
      { queued: 3, queuedBytes: 9, maxQueueBytes: 10 },
      /9 bytes \(maxQueueBytes 10\).*'maxQueueBytes'/,
    ],
    ['POOL_SATURATED', { waitMs: 700, mayWaitMs: 200 }, /about 700 ms of work.*may wait 200 ms.*'timeoutMs'/],
    ['QUEUE_TIMEOUT', { waitedMs: 90, neededMs: 20, leftMs: 10 }, /needs 20 ms and has 10 left.*'timeoutMs'/],
    ['FRAME_TOO_LARGE', { bytes: 2000, maxFrameBytes: 1024 }, /2000 bytes.*1024.*raise 'maxFrameBytes'/],
    ['INTERPRETER_NOT_FOUND', { language: 'Python', tried: 'python3' }, /Python.*python3.*'interpreter' option/],
    ['POOL_NOT_FOUND', { pool: 'x', known: 'a, b' }, /'x'.*a, b/],
    ['UNKNOWN_COMMAND', { command: 'ad', known: 'add' }, /'ad'.*add/],
    ['SESSION_LIMIT', { limit: 3, what: 'global programs', option: 'maxGlobals' }, /3 global programs.*'maxGlobals'/],
  ] as const)('%s prescribes a remedy with its numbers', (code, details, expected) => {
    expect(new SnakepitError(code, details).message).toMatch(expected);
  });

  it('tells command line, exit, stderr and remedy of a failed start', () => {
    const { message } = new SnakepitError('WORKER_START_FAILED', {
      worker: 'ml-1',
      commandLine: 'python3 -m x',
      exit: 'status 1',
      stderr: 'boom',
      remedy: 'mend it',
    });
    for (const part of ["'ml-1'", 'python3 -m x', 'status 1', 'boom', 'mend it']) expect(message).toContain(part);
  });
});

describe('SnakepitError', () => {
  it('keeps cause, details and a delivery that overrides the table', () => {
    const cause = new Error('first');
    const error = new SnakepitError('CANCELLED', { command: 'x' }, { cause, delivery: 'not-started' });
    expect(error).toMatchObject({ cause, delivery: 'not-started', details: { command: 'x' }, name: 'SnakepitError' });
  });

  it('has no cause property when none was given', () => {
    expect('cause' in new SnakepitError('MISUSE')).toBe(false);
  });

  it('leaves stack and traceback out of its JSON form and keeps the remote data', () => {
    const remote = { type: 'ValueError', message: 'bad', traceback: 'SECRET PATH', data: { month: 13 } };
    const error = new SnakepitError('REMOTE_ERROR', { reason: 'bad' }, { remote });
    const json = JSON.stringify(error);
    expect(json).not.toContain('SECRET PATH');
    expect(json).not.toContain('errors.spec');
    expect(JSON.parse(json)).toEqual({
      code: 'REMOTE_ERROR',
      message: 'The call raised an error: bad',
      delivery: 'ran',
      retryable: false,
      remote: { type: 'ValueError', message: 'bad', data: { month: 13 } },
    });
  });

  it('has an id of its own, which stays', () => {
    const [one, other] = [new SnakepitError('CANCELLED'), new SnakepitError('CANCELLED')];
    expect(one.id).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(one.id).toBe(one.id);
    expect(one.id).not.toBe(other.id);
  });

  it('is of the instance that was the first to say so, else of that of its cause', () => {
    const cause = new SnakepitError('REMOTE_ERROR');
    expect(cause.instance).toBeUndefined();
    const wrapper = new SnakepitError('MISUSE', {}, { cause });
    cause.claim('a');
    cause.claim('b');
    expect([cause.instance, wrapper.instance]).toEqual(['a', 'a']);
    wrapper.claim('b');
    expect(wrapper.instance).toBe('b');
  });

  it('is told from other errors, and by its code', () => {
    const error = new SnakepitError('CANCELLED');
    expect(isSnakepitError(error)).toBe(true);
    expect(isSnakepitError(error, 'CANCELLED')).toBe(true);
    expect(isSnakepitError(error, 'CALL_TIMEOUT')).toBe(false);
    expect(isSnakepitError(new Error('x'))).toBe(false);
    expect(isSnakepitError({ code: 'CANCELLED' })).toBe(false);
  });
});

describe('toError', () => {
  it('returns an Error as it is', () => {
    const error = new TypeError('x');
    expect(toError(error)).toBe(error);
  });

  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  it.each([
    ['a string', 'plain words', 'plain words'],
    ['an object', { a: 1 }, '{"a":1}'],
    ['undefined', undefined, 'undefined'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['a BigInt', 12n, '12'],
    ['a cycle', cycle, '[object Object]'],
  ])('makes an Error of %s without throwing', (_, thrown, message) => {
    expect(toError(thrown)).toMatchObject({ message });
  });
});
