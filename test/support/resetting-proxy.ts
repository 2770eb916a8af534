import { once } from 'node:events';
import {
  connect,
  constants,
  createServer,
  type ClientHttp2Session,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { connect as connectSocket, type AddressInfo } from 'node:net';

/** What becomes of an RPC: undefined lets it through. */
export type Fate =
  /** Reset by this code when the worker has got the whole request. */
  | { readonly kind: 'reset'; readonly code: number }
  /** Reset by this code when the worker has sent so many bytes of answers. */
  | { readonly kind: 'reset-after'; readonly bytes: number; readonly code: number }
  /** Reset as not processed, which is true: the worker never sees it. */
  | { readonly kind: 'refuse' }
  /** The whole connection is cut when the worker has got the request. */
  | { readonly kind: 'cut' };

/** An HTTP/2 proxy before a worker that listens on a Unix socket; it breaks RPCs off as proxies and networks do. */
export class ResettingProxy {
  readonly #server: Http2Server;
  readonly #upstream: ClientHttp2Session;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #fateOf: (path: string) => Fate | undefined;
  address = '';

  /** `fateOf` is asked once for each RPC, by its path. */
  static async start(socketPath: string, fateOf: (path: string) => Fate | undefined): Promise<ResettingProxy> {
    const proxy = new ResettingProxy(socketPath, fateOf);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    proxy.address = `127.0.0.1:${(proxy.#server.address() as AddressInfo).port}`;
    return proxy;
  }

  private constructor(socketPath: string, fateOf: (path: string) => Fate | undefined) {
    this.#fateOf = fateOf;
    this.#upstream = connect('http://localhost', { createConnection: () => connectSocket(socketPath) });
    this.#upstream.on('error', () => {});
    this.#server = createServer();
    this.#server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('close', () => this.#sessions.delete(session)).on('error', () => {});
    });
    this.#server.on('stream', (stream, headers) => this.#forward(stream, headers));
  }

  async stop(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    this.#upstream.destroy();
    await once(this.#server.close(), 'close');
  }

  #forward(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', () => {});
    const fate = this.#fateOf(String(headers[':path']));
    if (fate?.kind === 'refuse') return stream.close(constants.NGHTTP2_REFUSED_STREAM);
    const { ':method': method, ':path': path, ...rest } = headers;
    const forwarded = Object.entries(rest).filter(([name]) => !name.startsWith(':'));
    const up = this.#upstream.request({ ':method': method, ':path': path, ...Object.fromEntries(forwarded) });
    up.on('error', () => {});
    stream.pipe(up);
    stream.on('aborted', () => up.close(constants.NGHTTP2_CANCEL));
    // A worker that has answered by anything has read the request; one that never answers has, when its side is written.
    if (fate?.kind === 'reset') up.on('finish', () => setImmediate(() => stream.close(fate.code)));
    if (fate?.kind === 'cut') up.on('finish', () => setImmediate(() => stream.session?.destroy()));
    let trailers: IncomingHttpHeaders = {};
    up.on('trailers', (given) => (trailers = given));
    stream.on('wantTrailers', () => stream.sendTrailers(withoutPseudo(trailers)));
    up.on('response', (response, flags) => {
      if (stream.destroyed) return;
      const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      stream.respond(response, { waitForTrailers: !endStream, endStream });
    });
    let bytes = 0;
    up.on('data', (chunk: Buffer) => {
      if (stream.destroyed) return;
      bytes += chunk.length;
      stream.write(chunk);
      if (fate?.kind === 'reset-after' && bytes >= fate.bytes) setImmediate(() => stream.close(fate.code));
    });
    up.on('end', () => {
      if (!stream.destroyed) stream.end();
    });
  }
}

function withoutPseudo(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(':')));
}
