/** Bytes of a frame before its body: `length u32 | kind u8 | flags u8 | aux u16 | id u32`. */
export const HEADER_BYTES = 12;

/** What a frame is; the table of proto/PROTOCOL.md. */
export const Kind = {
  HELLO: 0x01,
  CALL: 0x10,
  CANCEL: 0x11,
  CREDIT: 0x12,
  SHUTDOWN: 0x13,
  SESSION_CLOSED: 0x14,
  RELEASE: 0x15,
  RESULT: 0x20,
  ERROR: 0x21,
  CHUNK: 0x22,
  END: 0x23,
  PROGRESS: 0x24,
  LOG: 0x25,
  EVENT: 0x26,
  PING: 0x30,
  PONG: 0x31,
  HOST_CALL: 0x40,
  HOST_RESULT: 0x41,
  HOST_ERROR: 0x42,
  FORK: 0x50,
  FORKED: 0x51,
  EXITED: 0x52,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

export const Flag = {
  /** On CALL: the caller takes a stream. */
  STREAM: 0x01,
  /** On CALL: the body begins with a u32, the milliseconds left. */
  DEADLINE: 0x02,
  /** On CALL: the encoded value is `[meta, arguments]`. */
  META: 0x04,
  /** On any encoded body: the JSON codec's extended form. */
  TAGGED: 0x80,
} as const;

/** Types of MessagePack extensions, beside the timestamp. */
export const Extension = {
  /** Binary or a typed array that lies in the arena: `element type u8 | offset u64 | length u64`. */
  REFERENCE: 0x01,
  /** A typed array: `element type u8 | elements, little-endian`. */
  TYPED: 0x02,
} as const;

/** Aux of CANCEL. */
export const CancelReason = { CALLER: 1, DEADLINE: 2 } as const;
export type CancelReason = (typeof CancelReason)[keyof typeof CancelReason];

/** Aux of a CALL whose command is named in `meta.command`. */
export const COMMAND_BY_NAME = 0xffff;

/** The longest service time a reply can tell, in microseconds; it stands for that or more. */
export const MAX_SERVICE_US = 0xffff;
