import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ConformanceFailure, runConformance, type Group } from '../../libs/snakepit/src/conformance/index.js';

const BRIDGE_FILE = new URL('../fixtures/conformance/perl/worker.pl', import.meta.url);
const BRIDGE = readFileSync(BRIDGE_FILE, 'utf8');

/** Enough for the bridge without a fault, and no more, since much that is faulty never answers. */
const ANSWER_MS = 2_000;

/** One change to a bridge that conforms, and the group that must notice. */
const FAULTS: ReadonlyArray<{ what: string; from: string; to: string; group: Group }> = [
  { what: 'sends more chunks than were granted', from: '$call->{credit}--;', to: '', group: 'credit' },
  { what: 'ignores what is granted', from: '$call->{credit} += $aux', to: '$call->{credit} += 0', group: 'credit' },
  {
    what: 'ignores cancelling',
    from: '$call->{cancelled} = $call->{begun} || refuse($call, $not_begun) if',
    to: '0 if',
    group: 'cancel',
  },
  {
    what: 'answers twice',
    from: 'eval { answer($call, ERROR, encode($error)); 1 }',
    to: 'eval { answer($call, ERROR, encode($error)) for 1, 2; 1 }',
    group: 'errors',
  },
  {
    what: 'sends another code',
    from: 'INVALID_RESULT => "$path is nested',
    to: 'TOO_DEEP => "$path is nested',
    group: 'limits',
  },
  { what: 'sends frames of any size', from: 'if length $body > $host->{maxFrameBytes}', to: 'if 0', group: 'limits' },
  { what: 'goes on after garbage', from: 'exit print STDERR', to: 'return print STDERR', group: 'garbage' },
  { what: 'writes white space', from: "join(',', @pairs)", to: "join(', ', @pairs)", group: 'values' },
  { what: 'loses large integers', from: 'tag(int => qq("$number"))', to: '$number', group: 'values' },
  {
    what: 'reads unknown tags',
    from: 'die "a bad tag: $tag\\n" unless',
    to: 'return undef unless',
    group: 'malformed values',
  },
  {
    what: 'passes its socket on',
    from: '$_->autoflush for',
    to: 'fcntl $socket, 2, 0; # F_SETFD: not close-on-exec\n$_->autoflush for',
    group: 'grandchildren',
  },
  { what: 'exits with another status', from: '(sub { exit 0 },', to: '(sub { exit 3 },', group: 'shutdown' },
  {
    what: 'answers pings by another id',
    from: "send_frame(PONG, $id, '')",
    to: "send_frame(PONG, 77, '')",
    group: 'heartbeats',
  },
  {
    what: 'sets an aux that means nothing',
    from: "send_frame(PONG, $id, '')",
    to: "send_frame(PONG, $id, '', 0, 1)",
    group: 'heartbeats',
  },
  { what: 'has no core', from: '[repeat_text =>', to: '[say_text =>', group: 'handshake' },
];

describe('the conformance kit', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'faulty-bridges-'));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('finds no fault in the bridge that the faulty ones are made from', { timeout: 60_000 }, async () => {
    const report = await runConformance({
      command: `perl ${fileURLToPath(BRIDGE_FILE)}`,
      protocol: 'v2',
      codec: 'json',
      groups: [...new Set(FAULTS.map(({ group }) => group))],
      answerMs: ANSWER_MS,
    });
    expect(report.cases.filter(({ verdict }) => verdict.kind === 'failed')).toEqual([]);
  });

  it.each(FAULTS)('notices a bridge that $what', { timeout: 60_000 }, async ({ what, from, to, group }) => {
    expect(BRIDGE).toContain(from);
    const file = join(folder, `${what.replaceAll(' ', '-')}.pl`);
    writeFileSync(
      file,
      BRIDGE.replace(from, () => to),
    );
    const report = await runConformance({
      command: `perl ${file}`,
      protocol: 'v2',
      codec: 'json',
      groups: [group],
      answerMs: ANSWER_MS,
    });
    expect(report.cases.filter(({ verdict }) => verdict.kind === 'failed')).not.toEqual([]);
  });

  it.each([
    ['an empty command', '   ', /no command to start/],
    ['an open quote', "perl 'worker.pl", /open quote/],
    ['a program that does not exist', 'no-such-program-anywhere worker', /does not start: .*ENOENT/],
    ['a program that ends', 'perl -e "exit 3"', /no handshake over v2.*status 3/s],
    ['a program that prints instead of speaking', `perl -e "print 1; <STDIN>"`, /no handshake over v2/],
  ])('refuses %s, and says what is wrong', async (_, command, message) => {
    const run = runConformance({ command, protocol: 'v2', codec: 'json' });
    await expect(run).rejects.toThrow(ConformanceFailure);
    await expect(run).rejects.toThrow(message);
  });
});
