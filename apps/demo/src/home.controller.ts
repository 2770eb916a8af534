import { Controller, Get, Redirect } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiExcludeController } from '@nestjs/swagger';

import { docsPath } from './docs.js';

@ApiExcludeController()
@Controller()
export class HomeController {
  constructor(private readonly host: HttpAdapterHost) {}

  @Get()
  @Redirect()
  home(): { url: string } {
    return { url: `/${docsPath(this.host)}` };
  }
}
