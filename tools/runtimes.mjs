// The languages that tests need beside Node and Python. What is missing is installed where that is allowed, else named.
import { execFileSync, spawnSync } from 'node:child_process';

import { fetchGo } from './go-toolchain.mjs';

/**
 * `debian`: the packages that bring it, without a version newer than Debian 12 has; `fetch`: where those would be too old, what puts its
 * programs into a folder. `enough`: what the probe has to print.
 */
export const RUNTIMES = {
  ruby: {
    probe: ['ruby', ['-rmsgpack', '-e', '1']],
    debian: ['ruby', 'ruby-msgpack'],
    needs: 'Ruby 3.0 or newer with the gem msgpack',
  },
  r: {
    probe: ['Rscript', ['-e', 'library(jsonlite)']],
    debian: ['r-base-core', 'r-cran-jsonlite'],
    needs: 'R 4.1 or newer with the package jsonlite',
  },
  go: {
    probe: ['go', ['version']],
    // Without fetching a newer one by itself, which Go does from 1.21 on where a module asks for it.
    enough: /\bgo(1\.(2[1-9]|[3-9]\d|\d{3,})|[2-9]|\d{2,})/,
    fetch: fetchGo,
    needs: 'Go 1.21 or newer',
  },
  perl: { probe: ['perl', ['-MJSON::PP', '-e', '1']], debian: ['perl'], needs: 'Perl 5.26 or newer' },
};

/**
 * Makes sure that the runtimes are there: on Debian as root they are installed, Go is fetched from its module proxy, elsewhere it throws,
 * naming what to install.
 *
 * @param {readonly (keyof typeof RUNTIMES)[]} names
 */
export function provideRuntimes(names) {
  // Where the installer of go.dev puts it, which not every PATH has.
  process.env.PATH = `${process.env.PATH}:/usr/local/go/bin`;
  const missing = names.filter((name) => !isThere(name));
  if (missing.length === 0) return;
  const packages = missing.flatMap((name) => RUNTIMES[name].debian ?? []);
  if (packages.length > 0 && process.getuid?.() === 0 && isCommand('apt-get')) install(packages);
  const reasons = missing.filter((name) => RUNTIMES[name].fetch !== undefined).map(fetchRuntime);
  const still = missing.filter((name) => !isThere(name));
  if (still.length === 0) return;
  const wanted = [...still.map(remedyOf), ...reasons.filter(Boolean)].join('; ');
  throw new Error(
    `These tests need what this machine does not have: ${wanted}. Install it, and see that it is on the PATH.`,
  );
}

function isThere(name) {
  const { probe, enough = /^/ } = RUNTIMES[name];
  const { status, stdout } = spawnSync(...probe, { stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' });
  return status === 0 && enough.test(stdout);
}

/** Puts it in front of the PATH, where one that is too old may be. Returns why that failed, if it did. */
function fetchRuntime(name) {
  try {
    process.env.PATH = `${RUNTIMES[name].fetch()}:${process.env.PATH}`;
  } catch (error) {
    return `it could not be fetched: ${error.message}`;
  }
}

function remedyOf(name) {
  const { needs, debian } = RUNTIMES[name];
  return debian === undefined ? needs : `${needs} (Debian: ${debian.join(' ')})`;
}

function isCommand(name) {
  return spawnSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' }).status === 0;
}

function install(packages) {
  console.log(`installing ${packages.join(', ')} …`);
  const options = {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  try {
    execFileSync('apt-get', ['update', '-q'], options);
    execFileSync('apt-get', ['install', '-qy', '--no-install-recommends', ...packages], options);
  } catch (error) {
    console.error(`apt-get did not install ${packages.join(', ')}: ${error.message}`);
  }
}
