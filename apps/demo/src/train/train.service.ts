import { Injectable } from '@nestjs/common';
import { PoolService, SnakepitTool, ToolContext } from 'nestjs-snakepit';

import type { TrainRequest } from './train.schemas.js';

export interface EpochReport {
  readonly kind: 'epoch';
  readonly epoch: number;
  readonly epochs: number;
  /** Shards that were trained side by side, one a worker. */
  readonly shards: number;
  /** Mean loss over the training items. */
  readonly loss: number;
  readonly held_out_accuracy: number;
  readonly held_out_loss: number;
  readonly elapsed_ms: number;
}

interface Shard {
  readonly weights: Uint8Array;
  readonly loss: number;
  readonly samples: number;
}

/** Data-parallel training: each worker trains its shard from the same weights, and the results are averaged. */
@Injectable()
export class TrainService {
  constructor(private readonly pool: PoolService) {}

  train(request: TrainRequest, signal: AbortSignal): AsyncIterable<EpochReport> {
    return request.coordinator === 'worker' ? this.#trainByWorker(request, signal) : this.#trainByHost(request, signal);
  }

  /** What the command `distributed_training` asks for. */
  @SnakepitTool('train.shards')
  trainShards(round: ShardsRequest, context: ToolContext): Promise<Shard[]> {
    return this.#trainShards({ ...round, shards: this.pool.stats().size }, round, context.signal);
  }

  #trainByWorker(request: TrainRequest, signal: AbortSignal): AsyncIterable<EpochReport> {
    const { epochs, hidden, seed, learningRate: learning_rate } = request;
    return this.pool.iterate('distributed_training', { epochs, hidden, seed, learning_rate }, { signal });
  }

  async *#trainByHost(request: TrainRequest, signal: AbortSignal): AsyncGenerator<EpochReport, void, undefined> {
    const { epochs, hidden, seed } = request;
    const shards = this.pool.stats().size;
    let weights = await this.pool.execute<Uint8Array>('train_init', { seed, hidden }, { signal });
    for (let epoch = 1; epoch <= epochs; epoch += 1) {
      const startedAt = performance.now();
      const trained = await this.#trainShards({ weights, shards, epoch }, request, signal);
      const mean = await this.pool.execute<Shard>('train_average', { shards: trained }, { signal });
      ({ weights } = mean);
      const held = await this.pool.execute<{ accuracy: number; loss: number }>(
        'train_evaluate',
        { weights, hidden },
        { signal },
      );
      yield {
        kind: 'epoch',
        epoch,
        epochs,
        shards,
        loss: mean.loss,
        held_out_accuracy: held.accuracy,
        held_out_loss: held.loss,
        elapsed_ms: Math.round(performance.now() - startedAt),
      };
    }
  }

  #trainShards(round: Round, request: Settings, signal: AbortSignal): Promise<Shard[]> {
    const { weights, shards, epoch } = round;
    const { hidden, seed, learningRate } = request;
    const calls = Array.from({ length: shards }, (_, index) => {
      const args = {
        weights,
        shard_index: index,
        shard_count: shards,
        epoch,
        learning_rate: learningRate,
        seed,
        hidden,
      };
      return this.pool.execute<Shard>('train_shard', args, { signal, idempotent: true });
    });
    return Promise.all(calls);
  }
}

type Settings = Pick<TrainRequest, 'hidden' | 'seed' | 'learningRate'>;

interface ShardsRequest extends Settings {
  readonly weights: Uint8Array;
  readonly epoch: number;
}

interface Round {
  readonly weights: Uint8Array;
  readonly shards: number;
  readonly epoch: number;
}
