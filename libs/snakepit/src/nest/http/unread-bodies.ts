import { Injectable } from '@nestjs/common';
import { DiscoveryService, HttpAdapterHost } from '@nestjs/core';

import { lineageOf } from '../discovered.js';
import { takesRequestStream } from './request-stream.decorator.js';

const OCTETS = 'application/octet-stream';

/** What is needed of Fastify, which is no dependency. */
interface Fastify {
  hasContentTypeParser(type: string): boolean;
  addContentTypeParser(
    type: string,
    parser: (request: unknown, body: unknown, done: (error: null) => void) => void,
  ): void;
}

/**
 * Has Fastify leave binary bodies unread where a controller takes them by `@RequestStream()`: it would refuse them with 415 before the
 * controller is asked. A parser that the application has given for this very type stays; whether one for `*` or by a
 * regular expression would take it, Fastify does not tell.
 */
@Injectable()
export class UnreadBodies {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly host: HttpAdapterHost,
  ) {}

  /** To be called before the server listens. */
  allow(): void {
    const adapter = this.host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
    if (adapter?.getType() !== 'fastify' || !this.#areWanted()) return;
    const fastify = adapter.getInstance<Fastify>();
    if (fastify.hasContentTypeParser(OCTETS)) return;
    fastify.addContentTypeParser(OCTETS, (_request, _body, done) => done(null));
  }

  #areWanted(): boolean {
    return this.discovery.getControllers().some((wrapper) => lineageOf(wrapper).some(takesRequestStream));
  }
}
