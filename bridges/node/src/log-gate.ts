/// <reference lib="es2024.string" />
import type { LogBody } from 'nestjs-snakepit/codec';

export const RECORDS_PER_SECOND = 1_000;
const NOTICE_MS = 1_000;
const MAX_MESSAGE = 32 * 1024;

/** Lets a thousand records pass at once, and as many each second; the others are dropped, and their number is told. */
export class LogGate {
  #room = RECORDS_PER_SECOND;
  #lookedAt = performance.now();
  #dropped = 0;

  /** @param tell sends a record past the gate */
  constructor(private readonly tell: (record: LogBody) => void) {}

  admits(): boolean {
    const now = performance.now();
    this.#room = Math.min(RECORDS_PER_SECOND, this.#room + ((now - this.#lookedAt) / 1_000) * RECORDS_PER_SECOND);
    this.#lookedAt = now;
    if (this.#room >= 1) {
      this.#room -= 1;
      return true;
    }
    if (this.#dropped === 0) setTimeout(this.#tellDropped, NOTICE_MS);
    this.#dropped += 1;
    return false;
  }

  readonly #tellDropped = (): void => {
    const dropped = this.#dropped;
    this.#dropped = 0;
    const message = `${dropped} log records were dropped: more than ${RECORDS_PER_SECOND} a second`;
    this.tell({ level: 'warn', message, logger: 'snakepit-bridge.log', fields: { dropped } });
  };
}

/** The beginning and the end of a text that is too long. */
export function clipped(text: string): string {
  if (text.length <= MAX_MESSAGE) return text;
  const half = MAX_MESSAGE / 2;
  const left = text.length - MAX_MESSAGE;
  return `${text.slice(0, half).toWellFormed()} … ${left} characters are left out … ${text.slice(-half).toWellFormed()}`;
}
