export type Grpc = typeof import('@grpc/grpc-js');

/** The optional peer, loaded only by workers that speak gRPC. */
export async function loadGrpc(): Promise<Grpc> {
  try {
    return await import('@grpc/grpc-js');
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new Error(
      "a Node worker that speaks gRPC needs the package '@grpc/grpc-js': run `npm install @grpc/grpc-js`",
      { cause },
    );
  }
}
