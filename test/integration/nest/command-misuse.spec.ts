import 'reflect-metadata';
import { Injectable } from '@nestjs/common';
import {
  commandArgs,
  python,
  SessionId,
  SnakepitCommand,
  SnakepitModule,
  type SnakepitCommandOptions,
} from 'nestjs-snakepit';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { bootError, reports } from './support/apps.js';

const onePool = () => SnakepitModule.forRoot({ adapter: reports(), size: 1 });
const module = 'test/fixtures/nest/report.py';
const startError = (provider: new () => object) => bootError({ imports: [onePool()], providers: [provider] });

describe('misuse of @SnakepitCommand, when the class is defined', () => {
  it('is a getter', () => {
    expect(() => {
      class Reports {
        @SnakepitCommand('pid')
        get pid() {
          return 1;
        }
      }
      return Reports;
    }).toThrow(/@SnakepitCommand on Reports\.pid\(\).*put it on an ordinary method/);
  });

  it('is a static method', () => {
    expect(() => {
      class Reports {
        @SnakepitCommand()
        static pid() {
          return commandArgs();
        }
        pid() {
          return Reports.pid();
        }
      }
      return Reports;
    }).toThrow(/static Reports\.pid\(\).*put it on an ordinary method/);
  });

  it('is a method with two @SessionId() parameters', () => {
    expect(() => {
      class Reports {
        @SnakepitCommand()
        visits(@SessionId() _one: string, @SessionId() _two: string): Promise<number> {
          return commandArgs();
        }
      }
      return Reports;
    }).toThrow(/Reports\.visits\(\).*2 @SessionId\(\) parameters.*keep one/);
  });

  it('is a method named by a symbol, without a name for the command', () => {
    const symbol = Symbol('pid');
    expect(() => {
      class Reports {
        @SnakepitCommand()
        [symbol](): Promise<number> {
          return commandArgs();
        }
      }
      return Reports;
    }).toThrow(/Symbol\(pid\).*give the name/);
  });

  it('is an unknown option', () => {
    expect(() => {
      class Reports {
        @SnakepitCommand('pid', { timeout: 5 } as SnakepitCommandOptions)
        pid(): Promise<number> {
          return commandArgs();
        }
      }
      return Reports;
    }).toThrow(/unknown key '@SnakepitCommand on Reports\.pid\(\)\.timeout'.*allowed are .*timeoutMs/);
  });

  it('is @SessionId() in a constructor', () => {
    expect(() => {
      class Reports {
        constructor(@SessionId() readonly session: string) {}
      }
      return Reports;
    }).toThrow(/@SessionId\(\) on the constructor of Reports.*@SnakepitCommand method/);
  });
});

describe('misuse of @SnakepitCommand, when the application starts', () => {
  it('is @SessionId() on a method that is no command', async () => {
    @Injectable()
    class Reports {
      visits(@SessionId() session: string) {
        return session;
      }
    }
    expect((await startError(Reports)).message).toMatch(/Reports\.visits\(\).*put @SnakepitCommand\(\) on it/);
  });

  it('is a pool that there is not', async () => {
    @Injectable()
    class Reports {
      @SnakepitCommand('pid', { pool: 'ml' })
      pid(): Promise<number> {
        return commandArgs();
      }
    }
    expect((await startError(Reports)).message).toMatch(/Reports\.pid\(\): there is no pool 'ml'; .*one of default/);
  });

  it('is a command that no worker offers', async () => {
    @Injectable()
    class Reports {
      @SnakepitCommand()
      summarize(_text: string): Promise<string> {
        return commandArgs();
      }
    }
    expect((await startError(Reports)).message).toMatch(/Reports\.summarize\(\).*offers 'summarize'.*add, .*count/);
  });

  it('is a call of a command that streams', async () => {
    @Injectable()
    class Reports {
      @SnakepitCommand()
      count(_limit: number): Promise<number> {
        return commandArgs();
      }
    }
    expect((await startError(Reports)).message).toMatch(/Reports\.count\(\).*is a stream; add 'stream: true'/);
  });

  it('is a stream of a command that returns', async () => {
    @Injectable()
    class Reports {
      @SnakepitCommand({ stream: true })
      add(_a: number, _b: number): Observable<number> {
        return commandArgs();
      }
    }
    expect((await startError(Reports)).message).toMatch(/Reports\.add\(\).*remove 'stream: true'/);
  });

  it('is a command that the adapter does not list, where workers tell nothing', async () => {
    @Injectable()
    class Reports {
      @SnakepitCommand()
      summarize(_text: string): Promise<string> {
        return commandArgs();
      }
    }
    const adapter = { ...python({ module, protocol: 'v1' }), supportedCommands: ['add', 'pid'] };
    const error = await bootError({ imports: [SnakepitModule.forRoot({ adapter, size: 1 })], providers: [Reports] });
    expect(error.message).toMatch(/Reports\.summarize\(\).*offers 'summarize'.*: add, pid/);
  });

  it('is a class whose module does not see the pools', async () => {
    @Injectable()
    class Reports {
      @SnakepitCommand()
      pid(): Promise<number> {
        return commandArgs();
      }
    }
    const error = await bootError({ providers: [Reports] });
    expect(error.message).toMatch(/Reports.*CommandRunner/s);
    expect(error.message).toMatch(/SnakepitModule/);
  });

  it('leaves no pool behind', async () => {
    @Injectable()
    class Reports {
      @SnakepitCommand()
      summarize(_text: string): Promise<string> {
        return commandArgs();
      }
    }
    const before = process.listenerCount('exit');
    await startError(Reports);
    expect(process.listenerCount('exit')).toBe(before);
  });
});
