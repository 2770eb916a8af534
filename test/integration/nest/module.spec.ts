import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import {
  getPoolToken,
  InjectPool,
  InjectSession,
  PoolService,
  SessionService,
  SnakepitModule,
  type Adapter,
  type LaunchContext,
  type LaunchSpec,
  type SnakepitOptions,
  type SnakepitOptionsFactory,
} from 'nestjs-snakepit';
import { describe, expect, it } from 'vitest';
import { bootApp, bootError, moduleOf, reports } from './support/apps.js';

const sum = (pool: PoolService) => pool.execute<number>('add', { a: 1, b: 2 });

@Injectable()
class Consumer {
  constructor(
    readonly pool: PoolService,
    readonly sessions: SessionService,
  ) {}
}

@Injectable()
class MlConsumer {
  constructor(
    @InjectPool('ml') readonly ml: PoolService,
    @InjectPool() readonly pool: PoolService,
    @InjectSession() readonly sessions: SessionService,
  ) {}
}

@Injectable()
class Settings {
  readonly workers = 1;
}

@Module({ providers: [Settings], exports: [Settings] })
class SettingsModule {}

@Injectable()
class OptionsFactory implements SnakepitOptionsFactory {
  createSnakepitOptions(): SnakepitOptions {
    return { adapter: reports(), size: 1 };
  }
}

@Module({ providers: [OptionsFactory], exports: [OptionsFactory] })
class OptionsModule {}

const one = () => ({ adapter: reports(), size: 1 });

/** Bad values of the module's own options: name, value, the option that the error names, and what it says. */
const OWN_OPTIONS: [string, unknown, string, RegExp][] = [
  ['isGlobal', 'no', 'options.isGlobal', /is "no"; allowed is true or false/],
  ['httpErrors', 'off', 'options.httpErrors', /is "off"; allowed is true, false, or an object with exposeMessages/],
  ['httpErrors', { exposeMessages: 1 }, 'options.httpErrors.exposeMessages', /is 1; allowed is true or false/],
  ['httpErrors', { expose: true }, 'options.httpErrors.expose', /unknown key .* \(true\); allowed are exposeMessages/],
  [
    'httpStatuses',
    { ValueError: 99 },
    'options.httpStatuses.ValueError',
    /is 99; allowed is an integer from 400 to 599/,
  ],
  ['httpStatuses', { ValueError: 700 }, 'options.httpStatuses.ValueError', /is 700; allowed is an integer from 400/],
  ['cancelOnDisconnect', null, 'options.cancelOnDisconnect', /is null; allowed is true or false/],
];

describe('SnakepitModule.forRoot', () => {
  it('takes the options of one pool', async () => {
    const app = await bootApp({
      imports: [SnakepitModule.forRoot({ adapter: reports(), size: 1 })],
      providers: [Consumer],
    });
    expect(await sum(app.get(Consumer).pool)).toBe(3);
    expect(app.get(Consumer).pool.stats().size).toBe(1);
  });

  it('takes an adapter alone', async () => {
    const app = await bootApp({ imports: [SnakepitModule.forRoot(reports())] });
    expect(await sum(app.get(PoolService))).toBe(3);
  });

  it('takes an adapter that is an instance of a class', async () => {
    class ReportAdapter implements Adapter {
      readonly name = 'reports';
      readonly #inner = reports();
      prepare(context: LaunchContext): Promise<LaunchSpec> {
        return this.#inner.prepare(context);
      }
    }
    const app = await bootApp({ imports: [SnakepitModule.forRoot(new ReportAdapter())] });
    expect(await sum(app.get(PoolService))).toBe(3);
  });

  it('injects named pools, the default one and the sessions', async () => {
    const pools = { default: { adapter: reports(), size: 1 }, ml: { adapter: reports(), size: 2 } };
    const app = await bootApp({ imports: [SnakepitModule.forRoot({ pools })], providers: [MlConsumer] });
    const { ml, pool, sessions } = app.get(MlConsumer);
    expect([ml.stats().pool, ml.stats().size]).toEqual(['ml', 2]);
    expect(pool.stats().pool).toBe('default');
    expect(app.get(getPoolToken('ml'))).toBe(ml);
    const session = await sessions.create();
    expect(await ml.executeInSession(session.id, 'visits')).toBe(1);
    expect((await sessions.get(session.id)).metadata).toEqual({ visits: 1 });
  });

  it('means the only pool by PoolService, whatever its name', async () => {
    const app = await bootApp({
      imports: [SnakepitModule.forRoot({ pools: { ml: { adapter: reports(), size: 1 } } })],
    });
    expect(app.get(PoolService).name).toBe('ml');
  });

  it('starts without a default pool, and then wants a call to name its pool', async () => {
    const pools = { ml: { adapter: reports(), size: 1 }, render: { adapter: reports(), size: 1 } };
    const app = await bootApp({ imports: [SnakepitModule.forRoot({ pools })] });
    const pool = app.get(PoolService);
    expect(await pool.execute('add', [1, 2], { pool: 'render' })).toBe(3);
    await expect(pool.execute('add', [1, 2])).rejects.toMatchObject({
      code: 'POOL_NOT_FOUND',
      message: expect.stringContaining('ml, render') as string,
    });
  });

  it('fails the start when a class injects a pool that there is not, naming class, pool and remedy', async () => {
    const error = await bootError({
      imports: [SnakepitModule.forRoot({ adapter: reports(), size: 1 })],
      providers: [MlConsumer],
    });
    expect(error.message).toMatch(/MlConsumer/);
    expect(error.message).toMatch(/snakepit pool 'ml' \(declared in 'pools' of SnakepitModule\.forRoot/);
  });

  it('fails the start for an unknown option, naming key and what is allowed', async () => {
    const options = { adapter: reports(), sise: 2 } as unknown as SnakepitOptions;
    const error = await bootError({ imports: [SnakepitModule.forRoot(options)] });
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS' });
    expect(error.message).toMatch(/'options\.sise' \(2\); allowed are adapter, size/);
  });

  it('names its own options among those that are allowed', async () => {
    const misspelt = { httpStatus: { ValueError: 422 } };
    const error = await bootError({
      imports: [SnakepitModule.forRoot({ ...one(), ...misspelt })],
    });
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS', details: { option: 'options.httpStatus' } });
    expect(error.message).toMatch(/'options\.httpStatus' \(an object\); allowed are .*size.*isGlobal.*httpStatuses/);
  });

  it.each(OWN_OPTIONS)('fails the start where %s is %j', async (name, value, option, message) => {
    const error = await bootError({ imports: [SnakepitModule.forRoot({ ...one(), [name]: value })] });
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS', details: { option } });
    expect(error.message).toMatch(message);
  });

  it('takes its own options that are undefined for left out', async () => {
    const own = { isGlobal: undefined, httpErrors: undefined, httpStatuses: undefined, cancelOnDisconnect: undefined };
    const Elsewhere = moduleOf({ providers: [Consumer], exports: [Consumer] });
    const app = await bootApp({ imports: [SnakepitModule.forRoot({ ...one(), ...own }), Elsewhere] });
    expect(await sum(app.get(Consumer).pool)).toBe(3);
  });

  it('serves only the modules that import it when it is not global', async () => {
    const snakepit = SnakepitModule.forRoot({ adapter: reports(), size: 1, isGlobal: false });
    const Inside = moduleOf({ imports: [snakepit], providers: [Consumer], exports: [Consumer] });
    const app = await bootApp({ imports: [Inside] });
    expect(await sum(app.get(Consumer).pool)).toBe(3);

    const Outside = moduleOf({ providers: [Consumer] });
    const error = await bootError({ imports: [snakepit, Outside] });
    expect(error.message).toMatch(/Consumer.*PoolService/s);
  });
});

describe('SnakepitModule.forRootAsync', () => {
  it.each([
    ...OWN_OPTIONS,
    ['poolNames', 'ml', 'options.poolNames', /is "ml"; allowed is a list of strings/],
    ['httpStatus', {}, 'options.httpStatus', /unknown key .*; allowed are useFactory, .*httpStatuses/],
  ] as const)('fails the start where %s is %j beside the factory', async (name, value, option, message) => {
    const beside = { [name]: value };
    const error = await bootError({ imports: [SnakepitModule.forRootAsync({ useFactory: one, ...beside })] });
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS', details: { option } });
    expect(error.message).toMatch(message);
  });

  it('fails the start where the factory returns an option of the module, and says where it stands', async () => {
    const useFactory = () => ({ ...one(), httpStatuses: { ValueError: 422 } });
    const error = await bootError({ imports: [SnakepitModule.forRootAsync({ useFactory })] });
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS', details: { option: 'options.httpStatuses' } });
    expect(error.message).toMatch(/'httpStatuses' .* stands beside the factory/);
  });

  it('builds the options from an injected configuration', async () => {
    const app = await bootApp({
      imports: [
        SnakepitModule.forRootAsync({
          imports: [SettingsModule],
          inject: [Settings],
          useFactory: async ({ workers }: Settings) => ({ adapter: reports(), size: workers }),
        }),
      ],
      providers: [Consumer],
    });
    expect(await sum(app.get(Consumer).pool)).toBe(3);
    expect(app.get(Consumer).pool.stats().size).toBe(1);
  });

  it('takes a class that makes the options', async () => {
    const app = await bootApp({ imports: [SnakepitModule.forRootAsync({ useClass: OptionsFactory })] });
    expect(await sum(app.get(PoolService))).toBe(3);
  });

  it('takes an existing provider that makes the options', async () => {
    const imports = [SnakepitModule.forRootAsync({ imports: [OptionsModule], useExisting: OptionsFactory })];
    const app = await bootApp({ imports });
    expect(await sum(app.get(PoolService))).toBe(3);
  });

  it('injects the pools that poolNames announces', async () => {
    const pools = { default: { adapter: reports(), size: 1 }, ml: { adapter: reports(), size: 1 } };
    const app = await bootApp({
      imports: [SnakepitModule.forRootAsync({ useFactory: () => ({ pools }), poolNames: ['ml'] })],
      providers: [MlConsumer],
    });
    expect(app.get(MlConsumer).ml.stats().pool).toBe('ml');
  });

  it('fails the start when an announced pool is missing, naming those that exist', async () => {
    const pools = { default: { adapter: reports(), size: 1 }, render: { adapter: reports(), size: 1 } };
    const error = await bootError({
      imports: [SnakepitModule.forRootAsync({ useFactory: () => ({ pools }), poolNames: ['ml'] })],
    });
    expect(error).toMatchObject({ code: 'POOL_NOT_FOUND' });
    expect(error.message).toMatch(/no pool 'ml'.*default, render/);
  });
});

describe('two applications in one process', () => {
  it('have pools and sessions of their own', async () => {
    const metadata = () => ({
      imports: [SnakepitModule.forRoot({ adapter: reports(), size: 1 })],
      providers: [Consumer],
    });
    const [one, two] = await Promise.all([bootApp(metadata()), bootApp(metadata())]);
    const [first, second] = [one.get(Consumer), two.get(Consumer)];
    expect(await first.pool.execute('pid')).not.toBe(await second.pool.execute('pid'));
    await first.sessions.create('shared-id');
    expect(await second.sessions.exists('shared-id')).toBe(false);
    await one.close();
    await expect(sum(first.pool)).rejects.toMatchObject({ code: 'POOL_CLOSED' });
    expect(await sum(second.pool)).toBe(3);
  });
});
