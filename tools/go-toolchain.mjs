// A Go toolchain for tests, from the Go module proxy, into a folder of node_modules/.cache.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const VERSION = 'go1.25.5';
const DEFAULT_PROXY = 'https://proxy.golang.org';
/**
 * By platform, as `go mod download -json golang.org/toolchain@v0.0.1-VERSION.linux-amd64` prints it once the checksum database has vouched
 * for it.
 */
const SUMS = { 'linux-x64': { name: 'linux-amd64', sum: 'h1:IkknVKy/4hLMR+ZwWfP4Oqhjz2sKqNtEXz1meP8P3Nc=' } };

/** Downloads, checks and unpacks: what is unpacked has the sum. Modules carry no permissions, so programs get theirs here. */
const FETCH = String.raw`
import base64, hashlib, os, sys, urllib.request, zipfile
url, wanted, prefix, target = sys.argv[1:]
path = os.path.join(target, "toolchain.zip")
with urllib.request.urlopen(url, timeout=120) as answer, open(path, "wb") as file:
    while chunk := answer.read(1 << 20):
        file.write(chunk)
with zipfile.ZipFile(path) as archive:
    # The hash "h1" of https://go.dev/ref/mod#go-sum-files
    lines = ["%s  %s\n" % (hashlib.sha256(archive.read(name)).hexdigest(), name) for name in sorted(archive.namelist())]
    found = "h1:" + base64.b64encode(hashlib.sha256("".join(lines).encode()).digest()).decode()
    if found != wanted:
        sys.exit("%s has the sum %s, not %s" % (url, found, wanted))
    for entry in archive.infolist():
        if not entry.filename.startswith(prefix) or ".." in entry.filename.split("/"):
            sys.exit("%s holds %s" % (url, entry.filename))
        relative = entry.filename[len(prefix):]
        entry.filename = relative
        archive.extract(entry, target)
        if relative.startswith(("bin/", "pkg/tool/")):
            os.chmod(os.path.join(target, relative), 0o755)
os.remove(path)
`;

/**
 * The folder with the program `go`, fetched at the first use. GOPROXY names the proxy, as it does for Go itself.
 *
 * Throws an Error where there is none for this platform, none can be fetched, or it is not the one that is known.
 *
 * @param {string} cache folder to keep it in
 */
export function fetchGo(cache = fileURLToPath(new URL('../node_modules/.cache/snakepit-go', import.meta.url))) {
  const platform = `${process.platform}-${process.arch}`;
  const known = SUMS[platform];
  if (known === undefined) throw new Error(`no sum of a Go toolchain for ${platform} is known`);
  const target = join(cache, `${VERSION}.${known.name}`);
  if (!existsSync(target)) fetchInto(target, known);
  return join(target, 'bin');
}

/** Beside the target, and renamed, so that an interrupted or a parallel run leaves no half of it. */
function fetchInto(target, { name, sum }) {
  const module = `golang.org/toolchain@v0.0.1-${VERSION}.${name}`;
  const [path, version] = module.split('@');
  const url = `${proxy()}/${path}/@v/${version}.zip`;
  console.log(`fetching ${VERSION} from ${new URL(url).host || 'a folder'} …`);
  mkdirSync(dirname(target), { recursive: true });
  const staging = mkdtempSync(`${target}-`);
  try {
    execFileSync('python3', ['-c', FETCH, url, sum, `${module}/`, staging], { stdio: 'pipe', encoding: 'utf8' });
    renameSync(staging, target);
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    if (!existsSync(target)) throw new Error(lastLine(error.stderr) ?? error.message, { cause: error });
  }
}

/** The first proxy of the list, which may end in `direct` or be `off`. */
function proxy() {
  const [first] = (process.env.GOPROXY || DEFAULT_PROXY).split(/[,|]/);
  return first === 'direct' || first === 'off' ? DEFAULT_PROXY : first.replace(/\/$/, '');
}

function lastLine(text) {
  return text?.trim().split('\n').at(-1) || undefined;
}
