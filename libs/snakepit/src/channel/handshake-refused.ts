/** A worker said no at the handshake, or what it said makes no sense. */
export class HandshakeRefused extends Error {
  /** The worker's own; empty when it sent none. */
  readonly traceback: string;
  /** What to do about it, where more is known than that it failed. */
  readonly remedy: string | undefined;

  constructor(message: string, { traceback = '', remedy }: { traceback?: string | undefined; remedy?: string } = {}) {
    super(message);
    this.traceback = traceback;
    this.remedy = remedy;
  }
}
