import { Injectable } from '@nestjs/common';
import { commandArgs, SnakepitCommand } from 'nestjs-snakepit';

export interface RecognizedDigit {
  readonly digit: number;
  readonly confidence: number;
  /** How many requests the network was asked for at once. */
  readonly together: number;
}

@Injectable()
export class RecognizeService {
  /** Requests that come while the network is at work are given to it together; each caller sees but its own image. */
  @SnakepitCommand('recognize_digit', { idempotent: true })
  recognize(image: readonly number[]): Promise<RecognizedDigit> {
    return commandArgs({ image });
  }
}
