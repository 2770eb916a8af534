import { describe, expect, it } from 'vitest';

import type { HostRequest, ToolRun } from '../pool/index.js';
import { Messages, type Message } from './messages.js';

const run = {} as ToolRun;
const blocked: boolean[] = [];
const request = (args: unknown, over: Partial<HostRequest> = {}): HostRequest => ({
  method: 'message.send',
  args,
  pool: 'default',
  call: undefined,
  isOver: false,
  runTool: (blocks, task) => {
    blocked.push(blocks);
    return task(run);
  },
  ...over,
});
const echo = ({ pattern, data, pool }: Message) => Promise.resolve([pattern, data, pool]);
const refused = (code: string, message: RegExp) => ({
  body: { code, message: expect.stringMatching(message) as string },
});

describe('Messages', () => {
  it('gives a message to whoever answers, on behalf of its call', async () => {
    const messages = new Messages();
    messages.serve((message) => Promise.resolve(message));
    const answer = await messages.answer(request({ pattern: { cmd: 'a' }, data: 5 }));
    expect(answer).toEqual({ pattern: { cmd: 'a' }, data: 5, pool: 'default', run });
  });

  it('knows which workers can do nothing else meanwhile', async () => {
    const messages = new Messages();
    messages.serve(echo);
    blocked.length = 0;
    expect(await messages.answer(request({ pattern: 'a' }))).toEqual(['a', null, 'default']);
    await messages.answer(request({ pattern: 7, concurrent: true }));
    expect(blocked).toEqual([true, false]);
  });

  it.each([
    ['a pattern that is none', request({ pattern: '' }), refused('INVALID_ARGUMENTS', /not ""$/)],
    ['a pattern that is a list', request({ pattern: [1] }), refused('INVALID_ARGUMENTS', /not a list of 1$/)],
    ['no map', request('a'), refused('INVALID_ARGUMENTS', /not undefined$/)],
    [
      'another host call',
      request({}, { method: 'message.drop' }),
      refused('UNKNOWN_COMMAND', /there is message\.send/),
    ],
    [
      'a call that is over',
      request({ pattern: 'a' }, { isOver: true }),
      refused('CALL_ENDED', /while the command runs/),
    ],
  ])('refuses %s', async (_, asked, error) => {
    const messages = new Messages();
    messages.serve(echo);
    await expect(messages.answer(asked)).rejects.toMatchObject(error);
  });

  it('has one answerer at a time, and says so where there is none', async () => {
    const messages = new Messages();
    const error = refused('UNKNOWN_PATTERN', /connect a SnakepitServer/);
    await expect(messages.answer(request({ pattern: 'a' }))).rejects.toMatchObject(error);
    const stop = messages.serve(echo);
    expect(() => messages.serve(echo)).toThrow(/answered already; connect one SnakepitServer/);
    stop();
    await expect(messages.answer(request({ pattern: 'a' }))).rejects.toMatchObject(error);
    messages.serve((message) => Promise.resolve(message.data));
    stop();
    expect(await messages.answer(request({ pattern: 'a', data: 3 }))).toBe(3);
  });
});
