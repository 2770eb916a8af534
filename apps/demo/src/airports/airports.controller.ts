import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import { RoutesService, type Route } from './routes.service.js';

const routeSchema = z.object({
  stops: z
    .array(z.string().regex(/^[A-Z0-9]{3,4}$/, 'must be the code of an airport, such as SFO'))
    .min(2)
    .max(50)
    .describe('Codes of airports, in the order of the journey')
    .meta({ example: ['SFO', 'ORD', 'JFK'] }),
});
type RouteRequest = z.infer<typeof routeSchema>;

@ApiTags('airports')
@Controller('airports')
export class AirportsController {
  constructor(private readonly routes: RoutesService) {}

  @Post('route')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Distances and headings of a journey; Python computes them, and asks Nest where the airports are',
  })
  route(@Body({ schema: routeSchema }) { stops }: RouteRequest): Promise<Route> {
    return this.routes.plan(stops);
  }
}
