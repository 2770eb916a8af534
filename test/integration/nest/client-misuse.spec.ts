import 'reflect-metadata';
import {
  custom,
  PoolClient,
  PoolCommand,
  SnakepitModule,
  type Command,
  type PoolClientOptions,
  type PoolCommandOptions,
  type StreamCommand,
} from 'nestjs-snakepit';
import { describe, expect, it } from 'vitest';

import { bootError, reports } from './support/apps.js';

const onePool = () => SnakepitModule.forRoot({ adapter: reports(), size: 1 });
type Client = abstract new () => object;

describe('misuse of a client, when its class is defined', () => {
  const misuses: readonly (readonly [string, () => unknown, RegExp])[] = [
    [
      'a method',
      () => {
        class Ml {
          @PoolCommand()
          predict(): void {}
        }
        return Ml;
      },
      /@PoolCommand on Ml\.predict: stands on a method or an accessor; declare a property, or use @SnakepitCommand/,
    ],
    [
      'an accessor',
      () => {
        class Ml {
          @PoolCommand()
          get predict() {
            return 1;
          }
        }
        return Ml;
      },
      /Ml\.predict: stands on a method or an accessor/,
    ],
    [
      'a static member',
      () => {
        class Ml {
          @PoolCommand() static readonly predict: Command;
          readonly own = 1;
        }
        return Ml;
      },
      /static Ml\.predict: stands on a static member; put it on a property of instances/,
    ],
    [
      'a symbol',
      () => {
        const symbol = Symbol('predict');
        class Ml {
          @PoolCommand('predict') readonly [symbol]!: Command;
        }
        return Ml;
      },
      /Ml\.Symbol\(predict\): stands on a symbol; give the property a name/,
    ],
    [
      'a member that the language calls',
      () => {
        // As the decorator on a member does it; a class with such a member is what this warns of.
        class Ml {}
        PoolCommand()(Ml.prototype, 'then');
        return Ml;
      },
      /Ml\.then: Nest would call it by itself; give the property another name: @PoolCommand\('then'\) run!/,
    ],
    [
      'a member that Nest calls',
      () => {
        class Ml {
          @PoolCommand() readonly onModuleInit!: Command;
        }
        return Ml;
      },
      /Ml\.onModuleInit: Nest would call it by itself/,
    ],
    [
      'a member twice',
      () => {
        class Ml {
          @PoolCommand()
          @PoolCommand('b')
          readonly predict!: Command;
        }
        return Ml;
      },
      /Ml\.predict: stands there twice; keep one/,
    ],
    [
      'a name that is none',
      () => {
        class Ml {
          @PoolCommand('') readonly predict!: Command;
        }
        return Ml;
      },
      /Ml\.predict: names the command "".*non-empty string/,
    ],
    [
      'an unknown option of a member',
      () => {
        class Ml {
          @PoolCommand({ timeout: 1 } as PoolCommandOptions) readonly predict!: Command;
        }
        return Ml;
      },
      /unknown key '@PoolCommand on Ml\.predict\.timeout'.*allowed are stream, session/,
    ],
    [
      'an unknown option of the class',
      () => {
        @PoolClient({ pools: 'ml' } as PoolClientOptions)
        class Ml {}
        return Ml;
      },
      /unknown key '@PoolClient on Ml\.pools'.*allowed are pool/,
    ],
    [
      'a constructor with parameters',
      () => {
        @PoolClient()
        class Ml {
          constructor(readonly other: object) {}
        }
        return Ml;
      },
      /@PoolClient on Ml: its constructor has parameters\. Nest does not make it/,
    ],
  ];

  it.each(misuses)('is %s', (_, define, message) => {
    expect(define).toThrow(message);
  });
});

describe('misuse of SnakepitModule.forFeature', () => {
  class Plain {}
  @PoolClient()
  class Empty {}
  const misuses: readonly (readonly [string, unknown, RegExp])[] = [
    ['no list', Plain, /takes a list of classes, not a function/],
    ['no class', ['MlClient'], /takes classes, not "MlClient"/],
    ['a class that is no client', [Plain], /got Plain, which is no client; put @PoolClient\(\) on it/],
    [
      'a client without commands',
      [Empty],
      /got Empty, which declares no command; declare some, not as abstract members/,
    ],
  ];

  it.each(misuses)('is %s', (_, clients, message) => {
    expect(() => SnakepitModule.forFeature(clients as Client[])).toThrow(message);
  });
});

describe('misuse of a client, when the application starts', () => {
  const startError = (client: Client, root = onePool()) =>
    bootError({ imports: [root, SnakepitModule.forFeature([client])] });

  it('is a pool that there is not', async () => {
    @PoolClient({ pool: 'ml' })
    class Ml {
      @PoolCommand() readonly add!: Command;
    }
    const error = await startError(Ml);
    expect(error).toMatchObject({ code: 'MISUSE' });
    expect(error.message).toBe("@PoolClient on Ml: there is no pool 'ml'; set 'pool' to one of default.");
  });

  it('is no pool named, where several are and none is the default', async () => {
    @PoolClient()
    class Ml {
      @PoolCommand() readonly add!: Command;
    }
    const pools = { one: { adapter: reports() }, two: { adapter: reports() } };
    const error = await startError(Ml, SnakepitModule.forRoot({ pools }));
    expect(error.message).toBe("@PoolClient on Ml: there is no pool 'default'; set 'pool' to one of one, two.");
  });

  it('is a command that the workers do not offer', async () => {
    @PoolClient()
    class Ml {
      @PoolCommand() readonly predict!: Command;
    }
    expect((await startError(Ml)).message).toMatch(
      /@PoolCommand on Ml\.predict: no worker of pool 'default' offers 'predict'\. Name one of its commands: add, /,
    );
  });

  it('is a stream that is no stream, and a call that is one', async () => {
    @PoolClient()
    class Streams {
      @PoolCommand({ stream: true }) readonly add!: StreamCommand;
    }
    @PoolClient()
    class Calls {
      @PoolCommand() readonly count!: Command;
    }
    expect((await startError(Streams)).message).toMatch(/Streams\.add: 'add'.*has one result; remove 'stream: true'/);
    expect((await startError(Calls)).message).toMatch(/Calls\.count: 'count'.*is a stream; add 'stream: true'/);
  });

  it('is a command that the adapter does not support, where the workers tell nothing', async () => {
    @PoolClient()
    class Ml {
      @PoolCommand() readonly predict!: Command;
    }
    const adapter = custom({
      executable: 'python3',
      script: 'test/fixtures/integration/raw_v1.py',
      supportedCommands: ['ping'],
    });
    expect((await startError(Ml, SnakepitModule.forRoot({ adapter, size: 1 }))).message).toMatch(
      /Ml\.predict: no worker of pool 'default' offers 'predict'\. Name one of its commands: ping\./,
    );
  });

  it('is a client among the providers, where Nest makes it without its commands', async () => {
    @PoolClient()
    class Ml {
      @PoolCommand() readonly add!: Command;
    }
    const error = await bootError({ imports: [onePool()], providers: [Ml] });
    expect(error.message).toMatch(
      /@PoolClient on Ml: it is provided like any class.*import SnakepitModule\.forFeature\(\[Ml\]\)/,
    );
  });

  it('is a client without pools', async () => {
    @PoolClient()
    class Ml {
      @PoolCommand() readonly add!: Command;
    }
    const error = await bootError({ imports: [SnakepitModule.forFeature([Ml])] });
    expect(error.message).toContain('import SnakepitModule.forRoot in the root module');
  });
});
