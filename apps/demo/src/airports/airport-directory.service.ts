import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable, NotFoundException, type OnModuleInit } from '@nestjs/common';
import { SnakepitTool } from 'nestjs-snakepit';

import { DATA_FOLDER } from '../paths.js';

export interface Airport {
  readonly code: string;
  readonly name: string;
  readonly city: string;
  readonly state: string;
  readonly latitude: number;
  readonly longitude: number;
}

/** The airports that the application knows. It is the host's: workers have no copy of it, and ask. */
@Injectable()
export class AirportDirectory implements OnModuleInit {
  #airports: ReadonlyMap<string, Airport> = new Map();

  async onModuleInit(): Promise<void> {
    const table = await readFile(join(DATA_FOLDER, 'airports.csv'), 'utf8');
    const airports = table.trimEnd().split('\n').slice(1).map(readAirport);
    this.#airports = new Map(airports.map((airport) => [airport.code, airport]));
  }

  /** @throws NotFoundException that names the codes there are not */
  @SnakepitTool('airports.find')
  find({ codes }: { readonly codes: readonly string[] }): Airport[] {
    const unknown = codes.filter((code) => !this.#airports.has(code));
    if (unknown.length > 0) throw new NotFoundException(`There is no airport ${unknown.join(', ')}.`);
    return codes.flatMap((code) => this.#airports.get(code) ?? []);
  }
}

/** One line of the shipped table; names may be quoted, because of a comma in them. */
function readAirport(line: string): Airport {
  const cells = [...line.matchAll(/(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? '',
  );
  const [code = '', name = '', city = '', state = '', , latitude, longitude] = cells.map((cell) => cell.trim());
  return {
    code,
    name: name.replaceAll('""', '"'),
    city,
    state,
    latitude: Number(latitude),
    longitude: Number(longitude),
  };
}
