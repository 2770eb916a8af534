import { NotFoundException } from '@nestjs/common';
import { describe, expect, it } from 'vitest';

import { SnakepitError } from '../core/index.js';
import { messageFailureOf } from './message-failure.js';

const UNSAID = 'the handler of the message has failed';

describe('messageFailureOf', () => {
  it.each([
    [{ status: 404, message: 'none' }, 'none', { status: 404, message: 'none' }],
    ['refused', 'refused', 'refused'],
    [{ code: 7 }, UNSAID, { code: 7 }],
    [undefined, UNSAID, null],
    [5, UNSAID, 5],
  ])('tells the payload %j', (rejected, message, data) => {
    expect(messageFailureOf(rejected).body).toEqual({ code: 'REMOTE_ERROR', type: 'RpcException', message, data });
  });

  it('tells what a filter left as an error by class and data', () => {
    expect(messageFailureOf(new NotFoundException('none')).body).toMatchObject({
      type: 'NotFoundException',
      message: 'none',
      data: { status: 404 },
    });
    const error = new SnakepitError('SESSION_NOT_FOUND', { session: 's' });
    expect(messageFailureOf(error).body).toMatchObject({ type: 'SnakepitError', data: { code: 'SESSION_NOT_FOUND' } });
  });
});
