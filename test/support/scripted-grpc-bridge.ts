import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as grpc from '@grpc/grpc-js';
import { ancestor } from 'nestjs-snakepit/codec/grpc';

type Unary = grpc.ServerUnaryCall<ancestor.ExecuteRequest, ancestor.ExecuteResponseInit>;
type Streaming = grpc.ServerWritableStream<ancestor.ExecuteRequest, ancestor.StreamResponseInit>;

export interface BridgeScript {
  readonly execute?: (call: Unary, answer: grpc.sendUnaryData<ancestor.ExecuteResponseInit>) => void;
  readonly executeStream?: (call: Streaming) => void;
}

/** A server of the ancestor's service that does what the test wants. */
export class ScriptedGrpcBridge {
  readonly address: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'scripted-'));
  readonly #server = new grpc.Server();

  static async start(script: BridgeScript): Promise<ScriptedGrpcBridge> {
    const bridge = new ScriptedGrpcBridge(script);
    await new Promise<number>((resolve, reject) => {
      const credentials = grpc.ServerCredentials.createInsecure();
      bridge.#server.bindAsync(bridge.address, credentials, (error, port) => (error ? reject(error) : resolve(port)));
    });
    return bridge;
  }

  private constructor(script: BridgeScript) {
    this.address = `unix:${join(this.#folder, 'bridge.sock')}`;
    this.#server.addService(ancestor.SnakepitBridgeService as unknown as grpc.ServiceDefinition, {
      execute: (call: Unary, answer: grpc.sendUnaryData<ancestor.ExecuteResponseInit>) =>
        script.execute?.(call, answer),
      executeStream: (call: Streaming) => script.executeStream?.(call),
      health: (_: unknown, answer: grpc.sendUnaryData<ancestor.HealthResponseInit>) => answer(null, { healthy: true }),
      getInfo: (_: unknown, answer: grpc.sendUnaryData<ancestor.InfoResponseInit>) => answer(null, {}),
    });
  }

  stop(): void {
    this.#server.forceShutdown();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
