import * as grpc from '@grpc/grpc-js';
import { WorkerService } from 'nestjs-snakepit/codec/grpc';

const WINDOW_BYTES = 8 * 2 ** 20;
const MAX_BYTES = 64 * 2 ** 20 + 65_536;

/**
 * What one would write with grpc-js alone: no pool, no attachment, JSON for the arguments. The sizes of messages and windows are
 * those of the pool, so that neither has an advantage by them.
 */
export class PlainGrpcClient {
  #client;
  #metadata = new grpc.Metadata();

  constructor({ address, token }) {
    this.#metadata.set('authorization', `Bearer ${token}`);
    this.#client = new grpc.Client(address, grpc.credentials.createInsecure(), {
      'grpc.max_send_message_length': MAX_BYTES,
      'grpc.max_receive_message_length': MAX_BYTES,
      'grpc-node.flow_control_window': WINDOW_BYTES,
    });
  }

  async execute(command, args) {
    const { body } = await this.#unary({ commandName: command, body: Buffer.from(JSON.stringify(args)) });
    return JSON.parse(body.toString());
  }

  /** Binary there and back, by a command that takes `data` and returns it. */
  async echo(command, data) {
    const text = Buffer.from(JSON.stringify({ data: { $bin: [0, data.length] } }));
    const head = Buffer.alloc(4);
    head.writeUInt32BE(text.length);
    const { body, tagged } = await this.#unary({
      commandName: command,
      body: Buffer.concat([head, text, data]),
      tagged: true,
    });
    if (!tagged) throw new Error(`'${command}' returned no binary`);
    // As the pool does: the value must not keep a whole message in memory, nor change with it.
    return Buffer.from(body.subarray(4 + body.readUInt32BE(0)));
  }

  /** How many chunks a stream has. */
  count(command, args) {
    const { path, requestSerialize, responseDeserialize } = WorkerService.executeStream;
    const request = { commandName: command, body: Buffer.from(JSON.stringify(args)) };
    const call = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      this.#metadata,
    );
    let chunks = 0;
    call.on('data', (item) => {
      for (const chunk of item.chunks) {
        JSON.parse(chunk.data.toString());
        chunks += 1;
      }
    });
    return new Promise((resolve, reject) => {
      call.on('error', reject).on('end', () => resolve(chunks));
    });
  }

  close() {
    this.#client.close();
  }

  #unary(request) {
    const { path, requestSerialize, responseDeserialize } = WorkerService.execute;
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        this.#metadata,
        (error, reply) => (error ? reject(error) : resolve(reply)),
      );
    });
  }
}
