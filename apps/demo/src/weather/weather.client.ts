import { PoolClient, PoolCommand, type Command } from 'nestjs-snakepit';

export interface Extreme {
  readonly date: string;
  readonly kind: 'hot' | 'cold' | 'wet' | 'windy';
  readonly value: number;
}

export interface Extremes {
  readonly year: number;
  readonly days: number;
  readonly limits: Readonly<Record<Extreme['kind'], number>>;
  readonly extremes: readonly Extreme[];
}

/** The commands of the Python workers that are about the weather. */
@PoolClient({ timeoutMs: 10_000 })
export abstract class WeatherClient {
  @PoolCommand('weather_extremes', { idempotent: true })
  readonly extremes!: Command<{ path: string; year: number }, Extremes>;
}
