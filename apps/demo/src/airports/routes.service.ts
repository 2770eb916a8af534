import { Injectable } from '@nestjs/common';
import { commandArgs, SnakepitCommand } from 'nestjs-snakepit';

export interface Leg {
  readonly from: string;
  readonly to: string;
  readonly kilometres: number;
  /** Degrees from north, clockwise, at the start of the leg. */
  readonly heading: number;
}

export interface Route {
  readonly legs: readonly Leg[];
  readonly kilometres: number;
}

@Injectable()
export class RoutesService {
  @SnakepitCommand('flight_route')
  plan(stops: readonly string[]): Promise<Route> {
    return commandArgs({ stops });
  }
}
