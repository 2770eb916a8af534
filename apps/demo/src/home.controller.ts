import { Controller, Get, Redirect } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

import { DOCS_PATH } from './docs.js';

@ApiExcludeController()
@Controller()
export class HomeController {
  @Get()
  @Redirect(`/${DOCS_PATH}`)
  home(): void {
    // The decorator answers.
  }
}
