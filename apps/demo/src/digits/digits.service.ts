import { Injectable } from '@nestjs/common';
import { commandArgs, SnakepitCommand } from 'nestjs-snakepit';
import type { Observable } from 'rxjs';

import type { SampleRequest } from './digits.schemas.js';

export interface ClassifiedDigit {
  readonly index: number;
  readonly digit: number;
  readonly confidence: number;
  /** For each of the ten digits. */
  readonly probabilities: readonly number[];
}

export interface DigitSample {
  readonly images: readonly (readonly number[])[];
  readonly labels: readonly number[];
}

/** Commands of the Python pool as methods; each body says what the command's arguments are. */
@Injectable()
export class DigitsService {
  @SnakepitCommand('classify_digits', { stream: true })
  classify(images: readonly (readonly number[])[]): Observable<ClassifiedDigit> {
    return commandArgs({ images });
  }

  @SnakepitCommand('digits_sample', { idempotent: true })
  sample({ count, seed }: SampleRequest): Promise<DigitSample> {
    return commandArgs({ count, seed: seed ?? null });
  }

  @SnakepitCommand('digits_info', { idempotent: true })
  info(): Promise<Record<string, unknown>> {
    return commandArgs();
  }
}
