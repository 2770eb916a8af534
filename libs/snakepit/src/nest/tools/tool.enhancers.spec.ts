import 'reflect-metadata';
import {
  Injectable,
  Module,
  Scope,
  UseInterceptors,
  UsePipes,
  type CallHandler,
  type ExecutionContext,
  type Provider,
} from '@nestjs/common';
import { APP_INTERCEPTOR, APP_PIPE, ExternalContextCreator, NestFactory } from '@nestjs/core';
import { describe, expect, it } from 'vitest';

import { node } from '../../adapters/index.js';
import { SnakepitModule } from '../snakepit.module.js';
import { enhancersOf, type Enhancers } from './tool.enhancers.js';

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
  transform(value: unknown) {
    return value;
  }
}

/** Of an application with the pools' own module, whose pools are not started. */
async function contextsOf(...providers: Provider[]): Promise<ExternalContextCreator> {
  const pools = SnakepitModule.forRoot({ adapter: node({ module: import.meta.filename }), autoStart: false });
  @Module({ imports: [pools], providers: [Bare, ...providers] })
  class Application {}
  const app = await NestFactory.createApplicationContext(Application, { logger: false });
  const contexts = app.get(ExternalContextCreator, { strict: false });
  await app.close();
  return contexts;
}

describe('the enhancers of a tool', () => {
  const bare = new Bare();
  const ofBare = (contexts: ExternalContextCreator): Enhancers => enhancersOf(contexts, bare, bare.core);
  const none = { interceptors: false, pipes: false };

  it('are none where there are only those of the pools, for HTTP routes', async () => {
    expect(ofBare(await contextsOf())).toEqual(none);
  });

  it.each([
    ['interceptors', APP_INTERCEPTOR, Scope.DEFAULT],
    ['interceptors', APP_INTERCEPTOR, Scope.REQUEST],
    ['pipes', APP_PIPE, Scope.DEFAULT],
    ['pipes', APP_PIPE, Scope.REQUEST],
  ])('are those of the application: %s by %s, scope %i', async (kind, provide, scope) => {
    expect(ofBare(await contextsOf({ provide, useClass: Other, scope }))).toEqual({ ...none, [kind]: true });
  });

  it('are those of class and method', async () => {
    @UsePipes(Other)
    class OnClass extends Bare {}
    class OnMethod extends Bare {
      @UseInterceptors(Other)
      override core() {
        return super.core();
      }
    }
    const contexts = await contextsOf();
    const [onClass, onMethod] = [new OnClass(), new OnMethod()];
    expect(enhancersOf(contexts, onClass, onClass.core)).toEqual({ ...none, pipes: true });
    expect(enhancersOf(contexts, onMethod, onMethod.core)).toEqual({ ...none, interceptors: true });
  });

  it('may be any where Nest does not tell', async () => {
    const contexts: object = Object.create(await contextsOf(), { container: { value: {} } });
    expect(ofBare(contexts as ExternalContextCreator)).toEqual({ interceptors: true, pipes: true });
  });
});
