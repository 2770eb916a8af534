import type { ServerDuplexStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import { reflection } from 'nestjs-snakepit/codec/grpc';

import { DESCRIPTORS, type FileDescription } from './generated/descriptors.js';
import type { Grpc } from './load-grpc.js';

type Request = reflection.ServerReflectionRequest;
type Answer = reflection.ServerReflectionResponseInit;
type Stream = ServerDuplexStream<Request, Answer>;

const { ServerReflectionService: V1 } = reflection;
const INFO = V1.serverReflectionInfo;

/** The service by its present name, and by the older one that many tools ask for; both have the same messages. */
export const REFLECTION_SERVICES = {
  'grpc.reflection.v1.ServerReflection': V1,
  'grpc.reflection.v1alpha.ServerReflection': {
    serverReflectionInfo: { ...INFO, path: INFO.path.replace('.v1.', '.v1alpha.') },
  },
} as const;

/** Tells tools such as grpcurl what a server serves. */
export class Reflection {
  readonly #notFound: number;
  readonly #services: readonly string[];
  readonly #byPath = new Map<string, FileDescription>();
  readonly #bySymbol = new Map<string, FileDescription>();

  /** @param services full names of what is served; reflection itself needs not be named */
  constructor({ status }: Grpc, services: readonly string[]) {
    this.#notFound = status.NOT_FOUND;
    this.#services = [...services, ...Object.keys(REFLECTION_SERVICES)].toSorted();
    for (const file of DESCRIPTORS) {
      this.#byPath.set(file.path, file);
      for (const symbol of file.symbols) this.#bySymbol.set(symbol, file);
    }
  }

  handlers(): UntypedServiceImplementation {
    return {
      serverReflectionInfo: (stream: Stream) => {
        stream.on('data', (request: Request) =>
          stream.write({ validHost: request.host, originalRequest: request, ...this.#answer(request) }),
        );
        stream.on('end', () => stream.end());
        // A client that leaves without a word is none of a worker's failures.
        stream.on('error', () => {});
      },
    };
  }

  #answer(request: Request): Answer {
    const { fileByFilename, fileContainingSymbol, allExtensionNumbersOfType: type, listServices } = request;
    if (fileByFilename !== undefined) return this.#file(this.#byPath.get(fileByFilename), fileByFilename);
    if (fileContainingSymbol !== undefined) {
      return this.#file(this.#bySymbol.get(fileContainingSymbol), fileContainingSymbol);
    }
    if (listServices !== undefined) {
      return { listServicesResponse: { service: this.#services.map((name) => ({ name })) } };
    }
    // proto3 has no extensions.
    if (type !== undefined && this.#bySymbol.has(type)) return { allExtensionNumbersResponse: { baseTypeName: type } };
    return this.#none(type ?? request.fileContainingExtension?.containingType ?? 'nothing');
  }

  #file(file: FileDescription | undefined, asked: string): Answer {
    if (file === undefined) return this.#none(asked);
    return { fileDescriptorResponse: { fileDescriptorProto: [Buffer.from(file.descriptor, 'base64')] } };
  }

  #none(asked: string): Answer {
    return { errorResponse: { errorCode: this.#notFound, errorMessage: `nothing is known of '${asked}'` } };
  }
}
