import 'reflect-metadata';
import { Inject, Injectable, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { python, SnakepitModule, SnakepitTool, SnakepitToolContext } from 'nestjs-snakepit';
import { describe, expect, it } from 'vitest';

import { bootError } from './support/apps.js';

const adapter = python({ module: 'test/fixtures/nest/tools.py' });
const startError = (providers: object[], options = {}) =>
  bootError({ imports: [SnakepitModule.forRoot({ adapter, size: 1, ...options })], providers: providers as [] });

describe('misuse of @SnakepitTool, when the class is defined', () => {
  it('is a static method', () => {
    expect(() => {
      class Prices {
        @SnakepitTool()
        static find() {
          return 1;
        }
        find() {
          return Prices.find();
        }
      }
      return Prices;
    }).toThrow(/@SnakepitTool on static Prices\.find\(\).*put it on an ordinary method/);
  });

  it('is a getter', () => {
    expect(() => {
      class Prices {
        @SnakepitTool('price')
        get price() {
          return 1;
        }
      }
      return Prices;
    }).toThrow(/@SnakepitTool on Prices\.price\(\).*put it on an ordinary method/);
  });

  it('is an unknown option', () => {
    expect(() => {
      class Prices {
        @SnakepitTool('price', { pool: 'a' } as object)
        price() {
          return 1;
        }
      }
      return Prices;
    }).toThrow(/unknown key '@SnakepitTool on Prices\.price\(\)\.pool'.*allowed are pools/);
  });

  it('is a @SnakepitToolContext() in a constructor', () => {
    expect(() => {
      class Prices {
        constructor(@SnakepitToolContext() readonly context: object) {}
      }
      return Prices;
    }).toThrow(/the constructor of Prices: it belongs on a parameter of a @SnakepitTool method/);
  });
});

describe('misuse of @SnakepitTool stops the start:', () => {
  @Injectable()
  class Prices {
    @SnakepitTool('price.of')
    find() {
      return 1;
    }
  }

  it('two tools of one name, however it is spelled', async () => {
    @Injectable()
    class Others {
      @SnakepitTool('priceOf')
      find() {
        return 1;
      }
    }
    const { message } = await startError([Prices, Others]);
    expect(message).toMatch(
      /Others\.find\(\): the name 'priceOf' is taken by the tool 'price\.of', of .*Prices\.find\(\)/,
    );
  });

  it('two decorators on one method', async () => {
    @Injectable()
    class Twice {
      @SnakepitTool('a')
      @SnakepitTool('b')
      find() {
        return 1;
      }
    }
    expect((await startError([Twice])).message).toMatch(
      /Twice\.find\(\): it stands there twice, as 'b' and 'a'; keep one/,
    );
  });

  it('a name that is none', async () => {
    @Injectable()
    class Odd {
      @SnakepitTool('no spaces')
      find() {
        return 1;
      }
    }
    expect((await startError([Odd])).message).toMatch(/Odd\.find\(\): "no spaces" is no name of a tool; give one of/);
  });

  it.each([Scope.REQUEST, Scope.TRANSIENT])('a provider of scope %s', async (scope) => {
    @Injectable({ scope })
    class Scoped {
      @SnakepitTool()
      find() {
        return 1;
      }
    }
    const { message } = await startError([Scoped]);
    expect(message).toMatch(/Scoped\.find\(\): its provider is made anew .*; give it the default scope/);
  });

  it('a provider that injects one of scope request', async () => {
    @Injectable()
    class Indirect {
      constructor(@Inject(REQUEST) readonly request: object) {}
      @SnakepitTool()
      find() {
        return this.request;
      }
    }
    expect((await startError([Indirect])).message).toMatch(/Indirect\.find\(\): its provider is made anew/);
  });

  it('a pool that there is not', async () => {
    @Injectable()
    class ForNobody {
      @SnakepitTool('find', { pools: ['ml'] })
      find() {
        return 1;
      }
    }
    expect((await startError([ForNobody])).message).toMatch(
      /ForNobody\.find\(\): there is no pool 'ml'; name some of default/,
    );
  });

  it("a pool's option 'tools' that names none", async () => {
    const { message } = await startError([Prices], { tools: ['price_off'] });
    expect(message).toMatch(/'tools' of pool 'default' has 'price_off', which is no tool; there are: price\.of/);
  });

  it('two @SnakepitToolContext()', async () => {
    @Injectable()
    class Confused {
      @SnakepitTool()
      find(@SnakepitToolContext() _a: object, @SnakepitToolContext() _b: object) {
        return 1;
      }
    }
    expect((await startError([Confused])).message).toMatch(/Confused\.find\(\): it has 2 @SnakepitToolContext\(\)/);
  });

  it('a @SnakepitToolContext() on what is no tool', async () => {
    @Injectable()
    class Stray {
      find(@SnakepitToolContext() _context: object) {
        return 1;
      }
    }
    expect((await startError([Stray])).message).toMatch(
      /Stray\.find\(\): the method is no tool; put @SnakepitTool\(\)/,
    );
  });
});
