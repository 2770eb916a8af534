import {
  Column,
  DataFrame,
  NdArray,
  PythonObject,
  ref,
  Series,
  type PythonService,
  type PythonSession,
  type Snakepit,
} from 'nestjs-snakepit/core';
import { beforeAll, describe, expect, it } from 'vitest';

import { dataSciencePackages } from '../../../tools/python-packages.mjs';
import { failureOf } from '../../support/outcomes.js';
import { useEnhanced } from './support.js';

/** The first run installs what is called here. */
const INSTALL_TIMEOUT_MS = 300_000;

let packages: string;
const start = useEnhanced(() => packages);
const ALLOW = ['numpy.*', 'pandas.*', 'sklearn.*', 'json'];

let snakepit: Snakepit;
let service: PythonService;
let session: PythonSession;
beforeAll(async () => {
  packages = dataSciencePackages();
  snakepit = await start({ allow: ALLOW });
  service = snakepit.python();
  session = await service.createSession();
  // What follows waits for no imports then.
  await session.createModel('sklearn.linear_model.LinearRegression', {}, { storeAs: 'line', timeoutMs: 120_000 });
  await session.loadDataframe({ records: [{ a: 1 }] }, { timeoutMs: 120_000 });
}, INSTALL_TIMEOUT_MS);

describe('arrays of numpy', () => {
  it('travel both ways as binary, with their type and shape', async () => {
    const matrix = NdArray.from([
      [2, 0],
      [0, 4],
    ]);
    const inverse = await service.call<NdArray>('numpy.linalg.inv', [matrix]);
    expect(inverse).toBeInstanceOf(NdArray);
    expect(inverse).toMatchObject({ dtype: 'float64', shape: [2, 2] });
    expect(inverse.toList()).toEqual([
      [0.5, 0],
      [0, 0.25],
    ]);
    expect(await service.call('numpy.sum', [Float64Array.of(1, 2, 3.5)])).toBe(6.5);
  });

  it.each<[string, NdArray]>([
    ['int8', new NdArray(Int8Array.of(-1, 2))],
    ['uint8', new NdArray(Uint8Array.of(1, 255))],
    ['uint16', new NdArray(Uint16Array.of(1, 65_535))],
    ['int32', new NdArray(Int32Array.of(1, -2, 3, 4), [2, 2])],
    ['int64', new NdArray(BigInt64Array.of(1n, -(2n ** 60n)))],
    ['uint64', new NdArray(BigUint64Array.of(2n ** 63n))],
    ['float32', new NdArray(Float32Array.of(1.5))],
    ['float64', new NdArray(new Float64Array(100_000).fill(0.1), [10, 100, 100])],
    ['bool', new NdArray(Uint8Array.of(1, 0, 1), [3], 'bool')],
    ['complex128', new NdArray(Float64Array.of(1, -2, 3, 4), [2], 'complex128')],
    ['datetime64[ns]', new NdArray(BigInt64Array.of(1_700_000_000_000_000_000n), [1], 'datetime64[ns]')],
    ['float64 of no elements', new NdArray(new Float64Array(0), [0, 3])],
  ])('of %s come back as they were', async (_, array) => {
    const back = await service.call<NdArray>('numpy.copy', [array]);
    expect(back).toEqual(array);
  });

  it('whose shape and elements disagree are refused here', () => {
    expect(() => new NdArray(Float64Array.of(1, 2), [3])).toThrow(/shape \[3\] has 3 elements, and there are 2/);
    expect(() => NdArray.from([[1], [2, 3]])).toThrow(/differ in length/);
  });

  it('are not limited in their number of elements as lists are', async () => {
    const many = await service.call<NdArray>('numpy.zeros', [200_000]);
    expect(many.data).toHaveLength(200_000);
    expect((await failureOf(service.call('json.loads', [`[${'0,'.repeat(100_000)}0]`]))).message).toMatch(/maxValues/);
  });
});

describe('tables of pandas', () => {
  const when = new Date('2026-03-01T12:00:00.000Z');
  const frame = new DataFrame({
    city: ['Bern', null, 'Basel'],
    people: Int32Array.of(134_794, 0, 178_120),
    area: [51.6, null, 23.9],
    capital: [true, false, null],
    seen: [when, null, when],
  });

  it('travel both ways by their columns, with their types', async () => {
    await session.store('cities', frame);
    const back = await session.retrieve<DataFrame>('cities');
    expect(back).toBeInstanceOf(DataFrame);
    expect(back.column('people').data).toEqual(Int32Array.of(134_794, 0, 178_120));
    expect(back.column('area').data).toEqual(Float64Array.of(51.6, Number.NaN, 23.9));
    expect(back.toRecords()).toEqual([
      { city: 'Bern', people: 134_794, area: 51.6, capital: true, seen: when },
      { city: null, people: 0, area: Number.NaN, capital: false, seen: null },
      { city: 'Basel', people: 178_120, area: 23.9, capital: null, seen: when },
    ]);
    const types = await session.call<Series>('cities.dtypes.astype', ['str']);
    expect(types.toObject()).toMatchObject({
      people: 'int32',
      area: 'float64',
      capital: 'boolean',
      seen: 'datetime64[ns, UTC]',
    });
  });

  it('are worked on by their methods, and columns come as series', async () => {
    await session.loadDataframe({ csv: 'kind,size\na,1\nb,2\na,5\n' }, { storeAs: 'sizes' });
    const groups = await session.call('sizes.groupby', ['kind'], {}, { storeAs: 'groups' });
    expect(groups.type).toMatch(/DataFrameGroupBy/);
    const sums = await session.call<DataFrame>('groups.sum');
    expect(sums.index?.toArray()).toEqual(['a', 'b']);
    expect(sums.column('size').toArray()).toEqual([6, 2]);
    const column = await session.call<Series>('sizes.__getitem__', ['size']);
    expect(column).toBeInstanceOf(Series);
    expect(column.toArray()).toEqual([1, 2, 5]);
    expect(await session.call('sizes.shape')).toEqual([3, 2]);
  });

  it('with categories, whole numbers that may be missing, and durations keep them', async () => {
    const stages = await session.call('pandas.Categorical', [['low', 'high', 'low']], {}, { storeAs: 'stages' });
    expect(stages.name).toBe('stages');
    const table = await session.call<DataFrame>('pandas.DataFrame', [{ stage: ref('stages') }]);
    expect(table.column('stage')).toMatchObject({ kind: 'category', categories: ['high', 'low'] });
    expect(table.column('stage').toArray()).toEqual(['low', 'high', 'low']);
    const whole = await service.call<Series>('pandas.Series', [[1, null, 3]], { dtype: 'Int64' });
    expect(whole.toArray()).toEqual([1, null, 3]);
    const spans = await service.call<Series>('pandas.to_timedelta', [['1min', null]], {});
    expect(spans).toBeDefined();
  });

  it('are loaded from what is given, by those options of the reader that are for callers', async () => {
    const semicolons = await session.loadDataframe(
      { csv: Buffer.from('a;b\n1;2,5\n') },
      { reader: { sep: ';', decimal: ',' } },
    );
    expect(semicolons.toRecords()).toEqual([{ a: 1, b: 2.5 }]);
    expect((await session.loadDataframe({ json: '[{"a":1}]' })).toRecords()).toEqual([{ a: 1 }]);
    expect((await session.loadDataframe(frame)).rowCount).toBe(3);
    for (const [source, reader, says] of [
      [{ csv: 'a\n1\n' }, { engine: 'python' }, /has no option 'engine'/],
      [{ xml: '<a/>' }, {}, /loaded from one of csv, json/],
      [{ file: '/etc/passwd' }, {}, /file ends with/],
      [{ file: '/etc/secret.csv' }, {}, /tried to read .*enhanced\.read/],
    ] as const) {
      expect((await failureOf(session.loadDataframe(source as { csv: string }, { reader }))).message).toMatch(says);
    }
  });

  it('of columns of different lengths are refused here', () => {
    expect(() => new DataFrame({ a: [1], b: [1, 2] })).toThrow(/column 'b' has 2 values/);
    expect(() => new DataFrame({ a: [1] }).column('b')).toThrow(/no column 'b'; it has a/);
    expect(Column.from([1, null]).toArray()).toEqual([1, Number.NaN]);
    expect(DataFrame.fromRecords([{ a: 1 }, { b: 'x' }]).toRecords()).toEqual([
      { a: 1, b: null },
      { a: Number.NaN, b: 'x' },
    ]);
  });
});

describe('models of scikit-learn', () => {
  it('are created, trained on a stored table and asked, with threads and all', async () => {
    await session.call('sklearn.datasets.load_iris', [], { as_frame: true }, { storeAs: 'iris' });
    const forest = await session.createModel(
      'sklearn.ensemble.RandomForestClassifier',
      { n_estimators: 10, random_state: 1, n_jobs: 2 },
      { storeAs: 'forest' },
    );
    const trained = await session.trainModel(forest, { data: ref('iris.frame'), target: 'target' });
    expect(trained).toMatchObject({ model: 'forest', rows: 150 });
    expect(trained.features).toHaveLength(4);
    expect(trained.score).toBeGreaterThan(0.95);
    const kinds = await session.predict<NdArray>(forest, ref('iris.data'));
    expect(kinds.data).toHaveLength(150);
    expect((await session.predict<NdArray>(forest, ref('iris.data'), { method: 'predict_proba' })).shape).toEqual([
      150, 3,
    ]);
    const told = await session.retrieve<PythonObject>('forest');
    expect(told).toBeInstanceOf(PythonObject);
    expect(told.details).toMatchObject({ fitted: true, params: { n_estimators: 10 } });
    const missing = await failureOf(session.trainModel(forest, { data: ref('iris.frame'), target: 'price' }));
    expect(missing.message).toMatch(/no column 'price'; it has sepal length/);
  });

  it('raise what they raise', async () => {
    const untrained = await failureOf(session.predict('line', [[1]]));
    expect(untrained).toMatchObject({ code: 'REMOTE_ERROR', remote: { type: 'NotFittedError' } });
  });
});

describe('frameworks', () => {
  it('are configured by their plugins', async () => {
    await session.configure('numpy', { seed: 7 });
    const first = await session.call('numpy.random.rand');
    await session.configure('numpy', { seed: 7 });
    expect(await session.call('numpy.random.rand')).toBe(first);
    await session.configure('pandas', { 'display.max_rows': 5 });
    expect((await failureOf(session.configure('pandas', { 'io.excel.xlsx.writer': 'x' }))).message).toMatch(
      /'display\.…'/,
    );
  });
});

describe('an attacker who may call numpy, pandas and scikit-learn', () => {
  const table = ref('victim');
  beforeAll(async () => {
    await session.store('victim', new DataFrame({ a: [1, 2] }));
  });

  it.each<[string, readonly unknown[], Readonly<Record<string, unknown>>]>([
    ['pandas.io.common.os.system', ['id'], {}],
    ['pandas.compat.pickle_compat.load', ['x'], {}],
    ['pandas.read_pickle', ['/tmp/x'], {}],
    ['pandas.eval', ['1'], {}],
    ['pandas.core.computation.eval.eval', ['1'], {}],
    ['victim.query', ['@pd.compat.os.system("id")'], {}],
    ['victim.eval', ['1'], {}],
    ['victim.to_pickle', ['/tmp/x'], {}],
    ['victim.apply', ['eval'], { args: ['1'] }],
    ['victim.apply', ['query'], { expr: '1' }],
    ['victim.agg', ['__getattribute__'], { args: ['__class__'] }],
    ['victim.transform', ['to_pickle'], { path: '/tmp/x' }],
    ['victim.a.map', ['__class__'], {}],
    ['victim.apply.__globals__', [], {}],
    ['victim.__class__', [], {}],
    ['victim.__reduce_ex__', [4], {}],
    ['victim.__init__.__globals__', [], {}],
    ['victim.__getattribute__', ['__class__'], {}],
    ['numpy.load', ['/tmp/x'], { allow_pickle: true }],
    ['numpy.lib.format.read_array', ['x'], {}],
    ['numpy.ctypeslib.load_library', ['libc', '/'], {}],
    ['numpy.testing.measure', ['1'], {}],
    ['numpy.f2py.compile', ['x'], {}],
    ['numpy.ndarray', [[1], 'O'], { buffer: new Uint8Array(8) }],
    ['numpy.ma.core.ndarray', [[1], 'O'], { buffer: new Uint8Array(8) }],
    ['numpy.rec.fromstring', [new Uint8Array(8)], { formats: 'O' }],
    ['numpy.recarray', [[1]], { formats: ['O'], buf: new Uint8Array(8) }],
    ['numpy.lib.stride_tricks.as_strided', [[1]], { shape: [1000] }],
    ['numpy.vectorize', [ref('json.loads')], {}],
    ['victim.values.dumps', [], {}],
    ['victim.values.ctypes', [], {}],
    ['victim.values.copy.__self__', [], {}],
    ['sklearn.utils._joblib.load', ['x'], {}],
    ['sklearn.externals.joblib.load', ['x'], {}],
    ['sklearn.utils.parallel.joblib.load', ['x'], {}],
    ['sklearn.base.importlib.import_module', ['os'], {}],
    ['json.decoder.scanner.re', [], {}],
    ['json.codecs.open', ['/etc/passwd'], {}],
    ['builtins.eval', ['1'], {}],
    ['sys.modules', [], {}],
    ['snakepit_bridge.enhanced', [], {}],
  ])('is not let call %s', async (target, args, kwargs) => {
    const error = await failureOf(session.call(target, args, kwargs));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started' });
    expect(error.remote?.data).toMatchObject({
      reason: expect.stringMatching(/^(not-allowed|unknown-attribute)$/) as string,
    });
  });

  it.each<[string, readonly unknown[], Readonly<Record<string, unknown>>]>([
    ['pandas.read_csv', ['/etc/passwd'], {}],
    ['pandas.read_csv', ['http://127.0.0.1:9/x.csv'], {}],
    ['pandas.read_json', ['/etc/hosts'], {}],
    ['pandas.io.common.urlopen', ['http://127.0.0.1'], {}],
    ['victim.to_csv', ['/tmp/written-by-a-caller.csv'], {}],
    ['victim.to_json', ['/tmp/written-by-a-caller.json'], {}],
    ['sklearn.datasets.fetch_openml', ['iris'], {}],
    ['sklearn.datasets.load_files', ['/etc'], {}],
  ])('is stopped when %s reaches for files or the network', async (target, args, kwargs) => {
    const error = await failureOf(session.call(target, args, kwargs));
    expect(error).toMatchObject({ code: 'REMOTE_ERROR', remote: { type: 'Forbidden', data: { reason: 'forbidden' } } });
  });

  it('gets no memory read by data that numpy takes for a description of memory', async () => {
    const description = { shape: [1], typestr: '|u1', data: [4096, false], version: 3 };
    const labelled = new Map<unknown, unknown>([['__array_interface__', description]]);
    await session.call('pandas.Series', [labelled], {}, { storeAs: 'labelled' });
    await session.call('sklearn.utils.Bunch', [], Object.fromEntries(labelled) as Record<string, unknown>, {
      storeAs: 'bunch',
    });
    for (const name of ['labelled', 'bunch']) {
      // Taken at its word, this would end the worker.
      const array = await session.call<unknown>('numpy.array', [ref(name)]);
      expect(JSON.stringify(array)).toContain('typestr');
    }
  });

  it('gets no references out of data', async () => {
    const read = await session.call('json.dumps', [[{ '@ref': 'victim' }]]);
    expect(read).toBe('[{"@ref": "victim"}]');
    expect(await session.call('json.loads', ['{"@dataframe": {"columns": []}}'])).toEqual({
      '@dataframe': { columns: [] },
    });
    expect(table.path).toBe('victim');
  });
});
