import type { CodecName } from '../../codec/index.js';
import type { RawBody } from '../open-call.js';

const MSGPACK_PREFIX = Buffer.from('81a576616c7565', 'hex');
const MSGPACK_NULL = Buffer.from('c0', 'hex');

/** The body of the map `{value: …}` around an encoded value, byte for byte as it is. */
export function asArgument(codec: CodecName, { bytes, tagged }: RawBody): RawBody {
  if (codec === 'msgpack') {
    return { bytes: Buffer.concat([MSGPACK_PREFIX, bytes.length === 0 ? MSGPACK_NULL : bytes]), tagged };
  }
  if (!tagged) return { bytes: wrapText(bytes.length === 0 ? Buffer.from('null') : bytes), tagged };
  // What is too short to have a length is malformed, and is to stay so.
  if (bytes.length < 4) return { bytes, tagged };
  const length = bytes.readUInt32BE(0);
  if (length > bytes.length - 4) return { bytes, tagged };
  const text = wrapText(bytes.subarray(4, 4 + length));
  const head = Buffer.alloc(4);
  head.writeUInt32BE(text.length);
  return { bytes: Buffer.concat([head, text, bytes.subarray(4 + length)]), tagged };
}

function wrapText(text: Buffer): Buffer {
  return Buffer.concat([Buffer.from('{"value":'), text, Buffer.from('}')]);
}
