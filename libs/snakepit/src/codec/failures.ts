/** The other side sent bytes that the protocol does not allow; the connection cannot go on. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation';
}

/** A value cannot be sent; nothing of it has left. */
export class EncodeError extends Error {
  override readonly name = 'EncodeError';

  constructor(
    /** Where in the value, such as `args.items[3].callback`. */
    readonly path: string,
    /** What is wrong there and what to do about it. */
    readonly reason: string,
  ) {
    super(path === '' ? reason : `${path}: ${reason}`);
  }
}

/** A binary value is larger than anything that may be sent; nothing of it was copied. */
export class BinaryTooLarge extends Error {
  override readonly name = 'BinaryTooLarge';

  constructor(
    readonly bytes: number,
    readonly maxBytes: number,
  ) {
    super(`binary of ${bytes} bytes exceeds maxFrameBytes (${maxBytes})`);
  }
}
