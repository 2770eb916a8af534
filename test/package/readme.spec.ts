import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { poolOptionTable } from 'nestjs-snakepit/core';
import { afterEach, describe, expect, it } from 'vitest';

import { readme, readmeBlocks, repository, shellBlock } from './readme-blocks.js';

let demo: ChildProcess | undefined;

// Not in a `finally`: a test that runs out of time never gets there.
afterEach(async () => {
  if (demo?.pid === undefined || demo.exitCode !== null || demo.signalCode !== null) return;
  const exited = once(demo, 'exit');
  process.kill(-demo.pid, 'SIGTERM');
  await exited;
});

describe('README.md', () => {
  it('has no block that no test runs', () => {
    // Shell blocks: demo and tests below, install and curl in packed.spec.ts; the files are compiled and run there.
    const known = ['npm ci && npm run demo', 'npm ci && npm test', 'npm install nestjs-snakepit', 'curl '];
    const strays = readmeBlocks().filter(
      ({ language, title, text }) =>
        title === undefined && !(language === 'sh' && known.some((command) => text.startsWith(command))),
    );
    expect(strays).toEqual([]);
    expect(readmeBlocks()).toHaveLength(readme.match(/^```/gm)!.length / 2);
  });

  it('tells the command that continuous integration tests with', () => {
    const steps = readFileSync(`${repository}.ci/run`, 'utf8');
    for (const command of shellBlock('npm test').split(' && ')) expect(steps).toContain(command);
  });

  it('tells a command that starts the demo', async () => {
    const [install, start] = shellBlock('npm run demo').split(' && ');
    expect(install).toBe('npm ci');
    // In a group of its own: npm does not pass signals on to what it runs.
    const started = spawn('sh', ['-c', start!], {
      cwd: repository,
      env: { ...process.env, PORT: '0' },
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    demo = started;
    const url = await new Promise<string>((resolve, reject) => {
      createInterface({ input: started.stdout }).on('line', (line) => {
        const found = /http:\/\/[\w.]+:\d+/.exec(line);
        if (found !== null) resolve(found[0]);
      });
      started.once('exit', (code) => reject(new Error(`the demo ended with status ${code}`)));
    });
    const health = await fetch(`${url}/health`);
    expect(health.status).toBe(200);
  }, 60_000);

  it('tells the defaults that the option table has', () => {
    for (const [, name, shown] of readme.matchAll(/^\| `(\w+)`\s+\| `([^`]+)`\s+\|/gm)) {
      const row = poolOptionTable[name as keyof typeof poolOptionTable];
      expect(row, `option '${name}'`).toBeDefined();
      expect(String(row.default?.value), `default of '${name}'`).toBe(shown);
    }
  });
});
