import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';

import { pseudonymsSchema, type PseudonymsRequest } from './pseudonyms.schemas.js';
import { PseudonymsService, type Pseudonyms } from './pseudonyms.service.js';

@ApiTags('pseudonyms')
@Controller('pseudonyms')
export class PseudonymsController {
  constructor(private readonly service: PseudonymsService) {}

  @Post()
  @HttpCode(200)
  @ApiHeader({ name: 'x-tenant', required: false, description: 'Whose pseudonyms; default: public' })
  @ApiHeader({ name: 'x-correlation-id', required: false, description: "Stands in the worker's log and in the answer" })
  @ApiOperation({ summary: 'Pseudonyms that no two tenants have in common' })
  pseudonymize(@Body({ schema: pseudonymsSchema }) { values }: PseudonymsRequest): Promise<Pseudonyms> {
    return this.service.pseudonymize(values);
  }
}
