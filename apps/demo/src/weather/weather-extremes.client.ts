// Written by `npx snakepit types`; do not edit. With --check it tells what has changed in the worker since.
import { PoolClient, PoolCommand, type Command } from 'nestjs-snakepit';

export interface WeatherExtremesArgs {
  path: string;
  year: number;
}

/** The extreme days of a year. */
export interface Extremes {
  year: number;
  days: number;
  limits: Limits;
  extremes: Extreme[];
}

/** From which value on a day is extreme. */
export interface Limits {
  hot: number;
  cold: number;
  wet: number;
  windy: number;
}

export interface Extreme {
  date: string;
  kind: 'hot' | 'cold' | 'wet' | 'windy';
  value: number;
}

@PoolClient()
export abstract class WeatherExtremesClient {
  /** The extreme days of a year; tells the host of each as it is found. */
  @PoolCommand('weather_extremes') readonly weatherExtremes!: Command<WeatherExtremesArgs, Extremes>;
}

// contract: {"doc":"The extreme days of a year; tells the host of each as it is found.","kind":"call","name":"weather_extremes","positional":["path","year"],"result":{"$defs":{"Extreme":{"properties":{"date":{"type":"string"},"kind":{"enum":["hot","cold","wet","windy"]},"value":{"type":"number"}},"required":["date","kind","value"],"type":"object"},"Extremes":{"description":"The extreme days of a year.","properties":{"year":{"type":"integer"},"days":{"type":"integer"},"limits":{"$ref":"#/$defs/Limits"},"extremes":{"items":{"$ref":"#/$defs/Extreme"},"type":"array"}},"required":["year","days","limits","extremes"],"type":"object"},"Limits":{"description":"From which value on a day is extreme.","properties":{"hot":{"type":"number"},"cold":{"type":"number"},"wet":{"type":"number"},"windy":{"type":"number"}},"required":["hot","cold","wet","windy"],"type":"object"}},"$ref":"#/$defs/Extremes"},"schema":{"additionalProperties":false,"properties":{"path":{"type":"string"},"year":{"type":"integer"}},"required":["path","year"],"type":"object"}}
