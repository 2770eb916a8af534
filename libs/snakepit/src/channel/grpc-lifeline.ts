import type { Socket } from 'node:net';

import { parseErrorBody, type ErrorBody } from '../codec/index.js';
import { isPlainObject, toError } from '../core/index.js';
import { HandshakeRefused } from './handshake-refused.js';

/** What a host tells a worker that it has started; see "Launch" in proto/PROTOCOL.md. */
export interface GrpcOffer {
  /** Addresses to try in this order: `unix:/path`, or `host:port`, where the system picks a port for 0. */
  readonly listen: readonly string[];
  readonly token: string;
  readonly maxFrameBytes: number;
  readonly reflection: boolean;
  /** PEM texts. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientCa: string };
}

const MAX_LINE_BYTES = 1024 * 1024;
const LINE_FEED = 0x0a;

/**
 * Makes the offer on a worker's lifeline and waits for its answer: where it listens. The lifeline has to stay open for as
 * long as the worker is to live.
 *
 * @throws HandshakeRefused when the worker cannot start, answers in no known form, or ends; whoever calls bounds the wait by
 * ending the worker.
 */
export function offerOnLifeline(lifeline: Socket, offer: GrpcOffer): Promise<string> {
  lifeline.write(`${JSON.stringify({ protocol: 'grpc', ...offer })}\n`);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_LINE_BYTES)
        return refuse(new HandshakeRefused(`its answer is longer than ${MAX_LINE_BYTES} bytes`));
      if (!chunk.includes(LINE_FEED)) return;
      stopListening();
      try {
        resolve(parseAnswer(Buffer.concat(chunks)));
      } catch (error) {
        reject(toError(error));
      }
    };
    const onClosed = (): void => refuse(new HandshakeRefused('it closed its lifeline before it listened'));
    const refuse = (error: Error): void => {
      stopListening();
      reject(error);
    };
    const stopListening = (): void => {
      lifeline.off('data', onData).off('end', onClosed).off('close', onClosed).off('error', onClosed);
      // How the worker ends is told by its process; what it leaves on the lifeline is of no interest any more.
      lifeline.on('error', () => {}).resume();
    };
    lifeline.on('data', onData).on('end', onClosed).on('close', onClosed).on('error', onClosed);
  });
}

function parseAnswer(bytes: Buffer): string {
  const text = bytes.toString('utf8', 0, bytes.indexOf(LINE_FEED));
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new HandshakeRefused(`its answer on the lifeline is no JSON: ${text.slice(0, 200)}`);
  }
  if (isPlainObject(answer) && isPlainObject(answer['error'])) throw refusalOf(parseErrorBody(answer['error']));
  if (isPlainObject(answer) && typeof answer['listening'] === 'string') return answer['listening'];
  throw new HandshakeRefused(`its answer on the lifeline says neither 'listening' nor 'error': ${text.slice(0, 200)}`);
}

function refusalOf({ code, type, message, traceback }: ErrorBody): HandshakeRefused {
  const reason = type === undefined ? message : `${type}: ${message}`;
  if (code !== 'ADDRESS_UNAVAILABLE') return new HandshakeRefused(reason, { traceback });
  return new HandshakeRefused(reason, {
    traceback,
    remedy:
      "Free one of these addresses, or choose others by 'grpc.basePort' and 'grpc.portRange'; basePort 0 takes any free port.",
  });
}
