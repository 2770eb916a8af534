import { Injectable } from '@nestjs/common';
import { InjectPython, PythonService, python, ref, SnakepitModule, type PythonSession } from 'nestjs-snakepit';
import { expect, expectTypeOf, it } from 'vitest';

import { bootApp } from '../nest/support/apps.js';

@Injectable()
class Statistics {
  constructor(
    readonly libraries: PythonService,
    @InjectPython('texts') readonly texts: PythonService,
  ) {}
}

it('PythonService is injected for the default pool, and by name for any', async () => {
  const app = await bootApp({
    imports: [
      SnakepitModule.forRoot({
        pools: {
          default: { adapter: python({ enhanced: { allow: ['statistics'] } }), size: 1 },
          texts: { adapter: python({ enhanced: { allow: ['textwrap'] } }), size: 1 },
        },
      }),
    ],
    providers: [Statistics],
  });
  const { libraries, texts } = app.get(Statistics);
  expect(await libraries.call<number>('statistics.median', [[1, 9, 4]])).toBe(4);
  expect(await texts.call<string>('textwrap.shorten', ['Hello  beautiful world'], { width: 12 })).toBe('Hello [...]');
  const session = await libraries.createSession({ ttlMs: 60_000 });
  const stored = await session.store('numbers', [1, 2]);
  expect(await session.call('statistics.mean', [stored])).toBe(1.5);
});

it('results are typed by the caller, and what cannot be is refused by the compiler', () => {
  const check = async (session: PythonSession): Promise<void> => {
    expectTypeOf(await session.call<number>('math.sqrt', [2])).toEqualTypeOf<number>();
    expectTypeOf((await session.call('math.sqrt', [2], {}, { storeAs: 'root' })).bytes).toEqualTypeOf<number>();
    expectTypeOf(await session.call('math.sqrt')).toEqualTypeOf<unknown>();
    expectTypeOf((await session.loadDataframe({ csv: '' })).rowCount).toEqualTypeOf<number>();
    expectTypeOf((await session.loadDataframe({ csv: '' }, { storeAs: 'table' })).name).toEqualTypeOf<string>();
    // @ts-expect-error arguments are a list
    await session.call('math.sqrt', 2);
    // @ts-expect-error a model has to have a name
    await session.createModel('sklearn.linear_model.Ridge', {}, {});
    // @ts-expect-error a table is of one form that is known
    await session.loadDataframe({ excel: '' });
    // @ts-expect-error steps name what they call
    await session.pipeline([{ args: [ref('x')] }]);
    // @ts-expect-error one of both is needed
    python({ size: 1 });
  };
  expectTypeOf(check).toBeFunction();
});
