import { Controller, Get } from '@nestjs/common';
import { SNAKEPIT_VERSION } from 'nestjs-snakepit';

@Controller()
export class AppController {
  @Get()
  about(): { readonly name: string; readonly version: string } {
    return { name: 'nestjs-snakepit', version: SNAKEPIT_VERSION };
  }
}
