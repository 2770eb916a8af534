import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { SessionService } from 'nestjs-snakepit';

/** Refuses requests about a session that there is not: a call would bring it into being. */
@Injectable()
export class ExistingSessionGuard implements CanActivate {
  constructor(private readonly sessions: SessionService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    await this.sessions.touch(String(context.switchToHttp().getRequest<Request>().params['id']));
    return true;
  }
}
