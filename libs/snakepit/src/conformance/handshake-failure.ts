import { toError } from '../core/index.js';
import type { Bridge } from './bridge.js';
import type { BridgeProtocol } from './bridge-program.js';
import { ConformanceFailure } from './conformance-failure.js';
import { showBytes } from './show.js';

const STDERR_LINES = 10;
/** Of a body, as text. */
const SHOWN_CHARS = 300;

interface Handshake {
  /** Where the bytes go. */
  readonly by: string;
  /** In front of each body. */
  readonly headerBytes: number;
  readonly expected: string;
  readonly remedy: string;
}

const HANDSHAKES: Readonly<Record<BridgeProtocol, Handshake>> = {
  v2: {
    by: 'the descriptor that SNAKEPIT_FD names',
    headerBytes: 12,
    expected:
      "a frame HELLO: the body's length in 4 bytes, big-endian, 01, seven times 00, then JSON with protocol, codec, commands and so on (PROTOCOL.md, Hello)",
    remedy:
      'Does the command start a conformance worker that speaks v2 on that descriptor, and reads and writes it unbuffered? Else say --protocol v1 or grpc.',
  },
  v1: {
    by: 'stdin',
    headerBytes: 4,
    expected:
      "on stdout the reply's length in 4 bytes, big-endian, then the reply: to the negotiation whatever it is, to the ping one with its id (PROTOCOL.md, Protocol v1)",
    remedy:
      'Does the command start a conformance worker that speaks v1 on stdin and stdout, and flushes what it writes? Else say --protocol v2 or grpc, or its --codec.',
  },
  grpc: {
    by: 'the lifeline, the descriptor that SNAKEPIT_FD names, one line of JSON',
    headerBytes: 0,
    expected: 'there one line of JSON with the address, then the hello of Attach (PROTOCOL.md, Launch and Attaching)',
    remedy:
      'Does the command start a conformance worker that serves snakepit.v2.Worker, and answers on its lifeline? Else say --protocol v2 or v1.',
  },
};

/** Why there is no handshake, with what was sent, what came, what was expected and where to look. */
export function handshakeFailure(bridge: Bridge, protocol: BridgeProtocol, error: unknown): ConformanceFailure {
  if (error instanceof ConformanceFailure) return error;
  const { by, headerBytes, expected, remedy } = HANDSHAKES[protocol];
  const { beginning, process } = bridge;
  const [codec, ...others] = bridge.settings.codecs;
  const how = others.length > 0 ? protocol : `${protocol} with ${codec}`;
  const lines = [
    `There is no handshake over ${how}: ${toError(error).message}.`,
    `sent      on ${by}${beginning === undefined ? '' : `: ${showMessage(beginning.sent, headerBytes)}`}`,
    `expected  ${expected}`,
    ...(beginning === undefined ? [] : [`came      ${showMessage(beginning.came, headerBytes)}`]),
    `process   ${process.describeExit()}`,
    remedy,
    ...lastWords(process.lines.stderr),
  ];
  return new ConformanceFailure(lines.join('\n  '));
}

function showMessage(bytes: Buffer, headerBytes: number): string {
  if (bytes.length === 0) return 'nothing';
  const text = bytes.subarray(headerBytes).toString('utf8');
  return `${showBytes(bytes)}, behind the header ${JSON.stringify(text.slice(0, SHOWN_CHARS))}`;
}

function lastWords(stderr: readonly string[]): string[] {
  if (stderr.length === 0) return ['It has written nothing on stderr.'];
  return ['Its last words on stderr:', ...stderr.slice(-STDERR_LINES).map((line) => `  ${line}`)];
}
