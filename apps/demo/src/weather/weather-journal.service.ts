import { Injectable } from '@nestjs/common';

import type { Extreme } from './weather-extremes.client.js';

/** How many extremes the workers have told of since the application started. */
@Injectable()
export class WeatherJournal {
  readonly #heard: Record<Extreme['kind'], number> = { hot: 0, cold: 0, wet: 0, windy: 0 };

  note({ kind }: Extreme): void {
    this.#heard[kind] += 1;
  }

  get heard(): Readonly<Record<Extreme['kind'], number>> {
    return this.#heard;
  }
}
