import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Observable } from 'rxjs';

import { UploadsService } from './uploads.service.js';

/** Fastify wraps the request and the response of Node, Express extends them. */
interface Wrapped<Raw> {
  readonly raw: Raw;
}

/** Gives a route the file of a form as `@UploadedFile()` and its other fields as `@Body()`, on Express and on Fastify. */
@Injectable()
export class UploadInterceptor implements NestInterceptor {
  constructor(private readonly uploads: UploadsService) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    if (!isForm(request)) return next.handle();
    const upload = await this.uploads.receive(rawOf(request), rawOf(http.getResponse<Response>()));
    Object.assign(request, upload);
    return next.handle();
  }
}

function isForm({ headers }: Request): boolean {
  return headers['content-type']?.startsWith('multipart/form-data') === true;
}

function rawOf<Raw extends object>(either: Raw | Wrapped<Raw>): Raw {
  return 'raw' in either ? either.raw : either;
}
