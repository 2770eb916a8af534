// Checks every import of the workspace packages against import-graph.rules.mjs and looks for cycles.
// Usage: node tools/import-graph.mjs [repository folder]
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { frameworks, packages, rooms, roomsDir, workspaceNames } from './import-graph.rules.mjs';

const SOURCE = /\.[cm]?[jt]sx?$/;
const SPEC = /\.spec\.[cm]?tsx?$/;
const SKIPPED_DIRS = new Set(['node_modules', 'dist', 'coverage']);

const repositoryDir = resolve(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)));
const files = Object.keys(packages).flatMap((dir) => sourceFilesIn(join(dir, 'src')));
const isFile = new Set(files);
const imports = files.flatMap(importsOf);
const violations = [...files.flatMap(misplaced), ...imports.flatMap(broken), ...cycles(imports)];

for (const violation of violations) console.error(violation);
if (violations.length > 0) {
  console.error(`\n${violations.length} import rule(s) broken; the rules are in tools/import-graph.rules.mjs.`);
  process.exitCode = 1;
}

// --- reading -------------------------------------------------------------------------------------

/** All paths here are relative to the repository and use forward slashes. */
function sourceFilesIn(dir) {
  const absolute = join(repositoryDir, dir);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(dir, entry.name);
    if (entry.isDirectory()) return SKIPPED_DIRS.has(entry.name) ? [] : sourceFilesIn(path);
    return SOURCE.test(entry.name) ? [path] : [];
  });
}

function importsOf(file) {
  const text = readFileSync(join(repositoryDir, file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, false);
  const found = [];
  const add = (literal, isType) => {
    if (!literal || !ts.isStringLiteralLike(literal)) return;
    const line = source.getLineAndCharacterOfPosition(literal.getStart(source)).line + 1;
    found.push({ file, line, specifier: literal.text, isType, target: targetOf(file, literal.text) });
  };
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnly(node.importClause));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node)) add(node.argument.literal, true);
    else if (ts.isExternalModuleReference(node)) add(node.expression, node.parent?.isTypeOnly ?? false);
    else if (ts.isCallExpression(node) && loadsModule(node.expression)) add(node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** `import { type A }` keeps a side-effect import at run time, so only `import type` counts. */
function isTypeOnly(clause) {
  return clause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
}

function loadsModule(callee) {
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require');
}

/** The file that a relative import means, in the notation of `files`; null for a package. */
function targetOf(file, specifier) {
  if (!specifier.startsWith('.')) return null;
  const path = posix.join(posix.dirname(file), specifier);
  const candidates = [path, path.replace(/\.([cm]?)js(x?)$/, '.$1ts$2'), `${path}.ts`, `${path}/index.ts`];
  return candidates.find((candidate) => isFile.has(candidate)) ?? path;
}

// --- rules ---------------------------------------------------------------------------------------

function misplaced(file) {
  if (packageOf(file) !== packageOf(roomsDir) || roomOf(file) in rooms) return [];
  return [`${file}: is in no known room of ${roomsDir}; known rooms: ${Object.keys(rooms).join(', ')}`];
}

function broken(edge) {
  const reason = edge.target === null ? brokenPackageImport(edge) : brokenRelativeImport(edge);
  return reason ? [`${edge.file}:${edge.line}: import of '${edge.specifier}' breaks the rule: ${reason}`] : [];
}

function brokenPackageImport({ file, specifier }) {
  const isSpec = SPEC.test(file);
  const home = packageOf(file);
  if (workspaceNames.some((name) => matches(specifier, name) || matches(specifier, `${name}/*`))) {
    const { workspace } = packages[home];
    if (isSpec || workspace.some((allowed) => matches(specifier, allowed))) return null;
    return `${home} may import ${list(workspace)} of the workspace packages`;
  }
  const framework = frameworks.find((name) => matches(specifier, name) || matches(specifier, `${name}/*`));
  const room = rooms[roomOf(file)];
  if (isSpec || !framework || !room) return null;
  if (room.frameworks?.includes(framework)) return null;
  return `room '${roomOf(file)}' may import ${list(room.frameworks)} of the frameworks`;
}

function brokenRelativeImport({ file, target, isType }) {
  const home = packageOf(file);
  if (!target.startsWith(`${home}/`)) return `relative imports of ${home} stay inside ${home}`;
  if (SPEC.test(target)) return 'nobody imports a spec';
  const from = roomOf(file);
  const to = roomOf(target);
  const room = rooms[from];
  if (SPEC.test(file) || !room || from === to) return null;
  if (to === null) return `room '${from}' stays inside ${roomsDir}`;
  const place = posix.relative(roomsDir, target).replace(SOURCE, '');
  const covers = (allowed) => allowed === to || allowed === place;
  if (room.imports.some(covers)) return null;
  const { types = [] } = room;
  if (types.some(covers)) return isType ? null : `room '${from}' may import ${place} with \`import type\` only`;
  const typeNote = types.length > 0 ? `, and ${list(types)} as types` : '';
  return `room '${from}' may import ${list(room.imports)}${typeNote}, not '${to}'`;
}

function packageOf(path) {
  return Object.keys(packages).find((dir) => path.startsWith(`${dir}/`)) ?? null;
}

function roomOf(path) {
  return path.startsWith(`${roomsDir}/`) ? path.slice(roomsDir.length + 1).split('/')[0] : null;
}

function matches(specifier, pattern) {
  return pattern.endsWith('*') ? specifier.startsWith(pattern.slice(0, -1)) : specifier === pattern;
}

function list(names = []) {
  return names.length > 0 ? `only ${names.join(', ')}` : 'none';
}

// --- cycles --------------------------------------------------------------------------------------

/** Depth-first search; every edge back into the current path closes one cycle. */
function cycles(edges) {
  const next = new Map(files.map((file) => [file, []]));
  for (const { file, target } of edges) if (next.has(target)) next.get(file).push(target);
  const done = new Set();
  const path = [];
  const found = [];
  const walk = (file) => {
    const start = path.indexOf(file);
    if (start >= 0) {
      found.push(`${file}: is part of an import cycle: ${[...path.slice(start), file].join(' -> ')}`);
    } else if (!done.has(file)) {
      path.push(file);
      next.get(file).forEach(walk);
      path.pop();
      done.add(file);
    }
  };
  files.forEach(walk);
  return found;
}
