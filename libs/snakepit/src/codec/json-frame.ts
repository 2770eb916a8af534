import type { ByteWriter } from './byte-writer.js';
import type { Kind } from './frame.js';

/** Appends a whole frame whose body is plain JSON text, whatever the codec is. */
export function encodeJsonFrame(kind: Kind, id: number, body: unknown, out: ByteWriter): void {
  const text = Buffer.from(JSON.stringify(body), 'utf8');
  const start = out.beginFrame();
  out.reserve(text.length);
  out.buffer.set(text, out.position);
  out.position += text.length;
  out.endFrame(start, kind, 0, 0, id);
}
