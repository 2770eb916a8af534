const KEPT_BYTES = 1024;

/** The first bytes of a connection, both ways: by these a handshake that fails is explained. */
export class Beginning {
  sent = Buffer.alloc(0);
  came = Buffer.alloc(0);

  onSent(bytes: Buffer): void {
    if (this.sent.length < KEPT_BYTES) this.sent = extended(this.sent, bytes);
  }

  onCame(bytes: Buffer): void {
    if (this.came.length < KEPT_BYTES) this.came = extended(this.came, bytes);
  }
}

function extended(kept: Buffer, bytes: Buffer): Buffer<ArrayBuffer> {
  return Buffer.concat([kept, bytes.subarray(0, KEPT_BYTES - kept.length)]);
}
