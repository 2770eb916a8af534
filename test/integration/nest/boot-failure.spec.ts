import 'reflect-metadata';
import { python, SnakepitModule } from 'nestjs-snakepit';
import { describe, expect, it } from 'vitest';
import { bootError, reports } from './support/apps.js';

describe('an application whose pool cannot start', () => {
  it('fails its start with command line, exit code, last stderr lines and remedy', async () => {
    const adapter = python({ module: 'test/fixtures/nest/broken.py' });
    const error = await bootError({ imports: [SnakepitModule.forRoot({ adapter, size: 2 })] });
    expect(error).toMatchObject({ code: 'WORKER_START_FAILED' });
    expect(error.message).toMatch(/command line: .*snakepit_bridge\.worker.*broken\.py/);
    expect(error.message).toMatch(/exit: +.*\d/);
    expect(error.message).toMatch(/no_such_library/);
    expect(error.message).toMatch(
      /what to do: .* has no module 'no_such_library'.*'requirements' of python\(\).*'venv'.*'path'/,
    );
  });

  it('fails its start when the interpreter is missing, saying which option names one', async () => {
    const adapter = python({ module: 'test/fixtures/nest/report.py', interpreter: 'no-such-python' });
    const error = await bootError({ imports: [SnakepitModule.forRoot({ adapter })] });
    expect(error).toMatchObject({ code: 'INTERPRETER_NOT_FOUND' });
    expect(error.message).toMatch(/no-such-python.*'interpreter'/s);
  });

  it('closes its other pools', async () => {
    const pools = {
      good: { adapter: reports(), size: 1 },
      bad: { adapter: python({ module: 'test/fixtures/nest/broken.py' }), size: 1 },
    };
    const before = process.listenerCount('exit');
    await bootError({ imports: [SnakepitModule.forRoot({ pools })] });
    expect(process.listenerCount('exit')).toBe(before);
  });
});
