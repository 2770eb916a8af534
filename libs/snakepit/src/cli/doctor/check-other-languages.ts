import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { requireExecutable } from '../../adapters/executable.js';
import { findRuby } from '../../adapters/ruby-interpreter.js';
import { toError } from '../../core/index.js';
import { lack, ok, type Finding } from './finding.js';

const TIMEOUT_MS = 20_000;

interface OtherLanguage {
  readonly title: string;
  /** Finds the program, or throws. */
  readonly find: () => Promise<string>;
  /** Makes it print its version, and what it needs; fails where it lacks that. */
  readonly probe: readonly string[];
  readonly remedy: string;
}

const RUBY_PROBE =
  'begin; require "msgpack"; m = MessagePack::VERSION; rescue LoadError; m = "not installed, JSON is spoken"; end; print "#{RUBY_VERSION}, msgpack #{m}"';
const R_PROBE = 'library(jsonlite); cat(sprintf("%s, jsonlite %s", getRversion(), packageVersion("jsonlite")))';

/** Those of which a version is looked at and a worker is tried. */
export const OTHER_LANGUAGES = {
  ruby: {
    title: 'Ruby',
    find: () => findRuby(undefined, process.env['PATH'] ?? ''),
    probe: ['-e', RUBY_PROBE],
    remedy: 'Install Ruby 3.0 or newer (Debian: ruby, ruby-msgpack).',
  },
  go: {
    title: 'Go',
    find: async () => requireExecutable('go', 'Go'),
    probe: ['version'],
    remedy: 'Install Go 1.21 or newer where workers are built; one that is built already needs none.',
  },
  r: {
    title: 'R',
    find: async () => requireExecutable('Rscript', 'R'),
    probe: ['--vanilla', '-e', R_PROBE],
    remedy: 'Install R 4.1 or newer and its package jsonlite (Debian: r-base-core, r-cran-jsonlite).',
  },
} as const satisfies Record<string, OtherLanguage>;

/** `there` says whether workers can be tried. */
export async function checkOtherLanguage(
  language: keyof typeof OTHER_LANGUAGES,
  isAsked: boolean,
): Promise<{ readonly finding: Finding; readonly there: boolean }> {
  const { title, find, probe, remedy } = OTHER_LANGUAGES[language];
  try {
    const program = await find();
    const { stdout } = await promisify(execFile)(program, [...probe], { timeout: TIMEOUT_MS });
    return { finding: ok(title, `${stdout.trim()} (${program})`), there: true };
  } catch (error) {
    const says = toError(error).message.trim().split('\n').at(-1)!;
    return {
      finding: isAsked ? lack(true, title, says, remedy) : ok(title, 'is not there, or not complete; not asked for'),
      there: false,
    };
  }
}
