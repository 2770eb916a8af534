import 'reflect-metadata';
import { Injectable, Module, type CallHandler, type ExecutionContext, type Provider } from '@nestjs/common';
import { APP_INTERCEPTOR, ExternalContextCreator, NestFactory } from '@nestjs/core';
import { describe, expect, it } from 'vitest';

import { SnakepitDisconnectInterceptor } from '../http/disconnect.interceptor.js';
import { hasInterceptors } from './tool.interceptors.js';

@Injectable()
class Bare {
  core() {
    return 'core';
  }
}

class Other {
  intercept(_: ExecutionContext, next: CallHandler) {
    return next.handle();
  }
}

async function contextsOf(...interceptors: Array<new () => object>): Promise<ExternalContextCreator> {
  const providers: Provider[] = interceptors.map((useClass) => ({ provide: APP_INTERCEPTOR, useClass }));
  @Module({ providers: [Bare, ...providers] })
  class Application {}
  const app = await NestFactory.createApplicationContext(Application, { logger: false });
  const contexts = app.get(ExternalContextCreator, { strict: false });
  await app.close();
  return contexts;
}

describe('a tool has interceptors', () => {
  const bare = new Bare();
  const answer = (contexts: ExternalContextCreator): boolean => hasInterceptors(contexts, bare, bare.core);

  it('not where there are none but those that are for HTTP routes', async () => {
    expect(answer(await contextsOf())).toBe(false);
    expect(answer(await contextsOf(SnakepitDisconnectInterceptor))).toBe(false);
  });

  it('where the application has others', async () => {
    expect(answer(await contextsOf(SnakepitDisconnectInterceptor, Other))).toBe(true);
  });

  it('where Nest does not tell', async () => {
    const contexts: object = Object.create(await contextsOf(), { container: { value: {} } });
    expect(answer(contexts as ExternalContextCreator)).toBe(true);
  });
});
