/** A place outside of the frames where both sides find large binary; see "Arena" in proto/PROTOCOL.md. */
export interface BinaryStore {
  /** Copies bytes there and returns their offset; undefined when they must go into the frame. */
  put(bytes: Uint8Array): number | undefined;
  /**
   * Copies out what the other side refers to.
   *
   * @throws ProtocolViolation for bytes that it may not refer to
   */
  get(offset: number, length: number): Buffer;
}

/** How binary leaves, as far as the other side has said that it understands. */
export interface BinaryForm {
  /** Typed arrays leave as what they are; else as their bytes. */
  readonly keepsTypes: boolean;
  /** A larger value is refused before it is copied. */
  readonly maxBytes: number;
  /** Undefined: all binary goes into the frame. */
  readonly store: BinaryStore | undefined;
}

export const PLAIN_BINARY: BinaryForm = { keepsTypes: false, maxBytes: Infinity, store: undefined };
