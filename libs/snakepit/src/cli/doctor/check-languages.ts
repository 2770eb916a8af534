import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { findExecutable } from '../../adapters/executable.js';
import { findPython } from '../../adapters/python-interpreter.js';
import { toError } from '../../core/index.js';
import { lack, ok, type Finding, type Subject } from './finding.js';

const run = promisify(execFile);
const TIMEOUT_MS = 20_000;

/** Packages that Python workers make use of, and what for. */
const PYTHON_PACKAGES = { msgpack: 'MessagePack, which is faster for all but text', numpy: 'arrays', grpcio: 'gRPC' };

const PYTHON_PROBE = `
import json, sys
from importlib import metadata
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        found[name] = None
print(json.dumps({"version": sys.version.split()[0], "packages": found}))
`;

/** Python as `python()` finds it, and its packages; `there` says whether workers can be tried. */
export async function checkPython(asked: ReadonlySet<Subject>): Promise<{ findings: Finding[]; there: boolean }> {
  try {
    const python = await findPython({ interpreter: undefined, venv: undefined, searchPath: process.env['PATH'] ?? '' });
    const { stdout } = await run(python, ['-c', PYTHON_PROBE, ...Object.keys(PYTHON_PACKAGES)], {
      timeout: TIMEOUT_MS,
    });
    const { version, packages } = JSON.parse(stdout) as { version: string; packages: Record<string, string | null> };
    const findings = [ok('Python', `${version} (${python})`), ...packageFindings(packages, asked), manager()];
    return { findings, there: true };
  } catch (error) {
    const remedy = "Install Python 3.9 or newer so that python3 is on the PATH, or name one by 'interpreter'.";
    return { findings: [lack(asked.has('python'), 'Python', toError(error).message, remedy)], there: false };
  }
}

function packageFindings(packages: Readonly<Record<string, string | null>>, asked: ReadonlySet<Subject>): Finding[] {
  return Object.entries(PYTHON_PACKAGES).map(([name, purpose]) => {
    const version = packages[name];
    if (version) return ok('Python packages', `${name} ${version}`);
    const says = `${name} is not installed; it is for ${purpose}`;
    const isNeeded = name === 'grpcio' && asked.has('grpc') && asked.has('python');
    return isNeeded
      ? lack(
          true,
          'Python packages',
          says,
          "pip install 'grpcio' 'grpcio-health-checking' 'protobuf', or name them in 'requirements' of python().",
        )
      : ok('Python packages', says);
  });
}

function manager(): Finding {
  const uv = findExecutable('uv', process.env['PATH'] ?? '');
  return ok('uv', uv ?? 'is not on the PATH; pip makes the environments of python({ requirements }), more slowly');
}
