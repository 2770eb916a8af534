// The languages that tests need beside Node and Python. What is missing is installed where that is allowed, else named.
import { execFileSync, spawnSync } from 'node:child_process';

/** `debian`: the packages that bring it, without a version newer than Debian 12 has. */
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
  go: { probe: ['go', ['version']], debian: ['golang-go'], needs: 'Go 1.21 or newer' },
  perl: { probe: ['perl', ['-MJSON::PP', '-e', '1']], debian: ['perl'], needs: 'Perl 5.26 or newer' },
};

/**
 * Makes sure that the runtimes are there: on Debian as root they are installed, elsewhere it throws, naming what to install.
 *
 * @param {readonly (keyof typeof RUNTIMES)[]} names
 */
export function provideRuntimes(names) {
  // Where the installer of go.dev puts it, which not every PATH has.
  process.env.PATH = `${process.env.PATH}:/usr/local/go/bin`;
  const missing = names.filter((name) => !isThere(name));
  if (missing.length === 0) return;
  if (process.getuid?.() === 0 && isCommand('apt-get')) install(missing.flatMap((name) => RUNTIMES[name].debian));
  const still = missing.filter((name) => !isThere(name));
  if (still.length === 0) return;
  const wanted = still.map((name) => `${RUNTIMES[name].needs} (Debian: ${RUNTIMES[name].debian.join(' ')})`).join('; ');
  throw new Error(
    `These tests need what this machine does not have: ${wanted}. Install it, and see that it is on the PATH.`,
  );
}

function isThere(name) {
  const [command, args] = RUNTIMES[name].probe;
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
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
