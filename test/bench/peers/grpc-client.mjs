import { once } from 'node:events';

import * as grpc from '@grpc/grpc-js';
import { WorkerService } from 'nestjs-snakepit/codec/grpc';

const WINDOW_BYTES = 8 * 2 ** 20;
const MAX_BYTES = 64 * 2 ** 20 + 65_536;

/**
 * What one would write with grpc-js alone: no pool, JSON for the arguments; an attachment only for streams. The sizes of messages and windows are
 * those of the pool, so that neither has an advantage by them.
 */
export class PlainGrpcClient {
  #client;
  #metadata = new grpc.Metadata();
  #control;
  #attachment = 0;
  #nextId = 0;

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

  /** Opens a control stream, so that the worker puts as many chunks into a message for this client as for the pool. */
  async attach(streamCredit) {
    const { path, requestSerialize, responseDeserialize } = WorkerService.attach;
    this.#control = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, this.#metadata);
    this.#control.on('error', () => {}); // A lost control stream shows in the stream that waits for credit.
    const hello = {
      protocol: [2],
      codecs: ['json'],
      maxFrameBytes: MAX_BYTES,
      maxDepth: 64,
      streamCredit,
      workerId: 'plain-1',
      pool: 'plain',
    };
    this.#control.write({ messages: [{ hello }] });
    const [{ messages }] = await once(this.#control, 'data');
    this.#attachment = messages[0].hello.attachment;
    this.#control.resume();
  }

  /** How many chunks a stream has; each message's chunks are granted anew when they were read. */
  count(command, args) {
    const { path, requestSerialize, responseDeserialize } = WorkerService.executeStream;
    const id = (this.#nextId += 1);
    const request = {
      attachment: this.#attachment,
      id,
      commandName: command,
      body: Buffer.from(JSON.stringify(args)),
    };
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
      this.#control.write({ messages: [{ credit: { call: id, chunks: item.chunks.length } }] });
    });
    return new Promise((resolve, reject) => {
      call.on('error', reject).on('end', () => resolve(chunks));
    });
  }

  close() {
    this.#control?.cancel();
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
