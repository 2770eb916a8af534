import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import { ByteWriter } from '../byte-writer.js';
import { CallRequestWriter } from './call-request-writer.js';
import { decodeCallRequest } from './generated/worker.js';

const number32 = fc.oneof(fc.nat({ max: 300 }), fc.integer({ min: 0, max: 0xffff_ffff }));

it('writes what the generated code reads, whatever the sizes of numbers and body', () => {
  const writer = new CallRequestWriter(new ByteWriter());
  const head = fc.record({
    attachment: number32,
    id: number32,
    command: number32,
    tagged: fc.boolean(),
    meta: fc.option(fc.record({ session: fc.string() }), { nil: undefined }),
  });
  const bodyBytes = fc.oneof(fc.nat({ max: 300 }), fc.constantFrom(16_384, 65_500, 65_536, 300_000));
  fc.assert(
    fc.property(head, bodyBytes, (given, bytes) => {
      const body = Buffer.alloc(bytes, 0x5a);
      writer.begin();
      writer.out.writeBytes(body);
      expect(writer.bodyBytes).toBe(bytes);
      const read = decodeCallRequest(writer.finish(given));
      const { attachment, id, command, tagged } = given;
      expect(read).toMatchObject({ attachment, id, command, tagged, commandName: '' });
      expect(read.meta?.session).toBe(given.meta?.session);
      expect(read.body.equals(body)).toBe(true);
    }),
  );
});

it('leaves a message alone when the next one is written', () => {
  const writer = new CallRequestWriter(new ByteWriter());
  const messages = [10, 100_000, 20].map((bytes, id) => {
    writer.begin();
    writer.out.writeBytes(Buffer.alloc(bytes, id));
    return writer.finish({ attachment: 1, id, command: 0, tagged: false, meta: undefined });
  });
  expect(
    messages.map((message) =>
      decodeCallRequest(message).body.every(
        (byte, _, { length }) => byte === (length === 10 ? 0 : length === 20 ? 2 : 1),
      ),
    ),
  ).toEqual([true, true, true]);
});
