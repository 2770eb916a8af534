// Comments are for those who read the sources; programs that install the library carry their weight for nothing.
import ts from 'typescript';

/**
 * The same program without comments. Every line keeps its number, so that stack traces tell the lines of what was built.
 *
 * @param {string} script JavaScript
 * @returns {string}
 */
export function stripComments(script) {
  let stripped = '';
  let kept = 0;
  for (const { pos, end } of commentsOf(script)) {
    const before = script.slice(kept, pos);
    const endsLine = /^[ \t]*(\r?\n|$)/.test(script.slice(end, script.indexOf('\n', end) + 1 || undefined));
    stripped += endsLine ? before.trimEnd() + before.slice(before.trimEnd().length).replaceAll(/[ \t]/g, '') : before;
    // What a comment keeps apart stays apart.
    stripped += script.slice(pos, end).replaceAll(/[^\n]/g, '') || (endsLine ? '' : ' ');
    kept = end;
  }
  return stripped + script.slice(kept);
}

/** In their order. A `#!` line is none: TypeScript skips it. */
function commentsOf(script) {
  const source = ts.createSourceFile('script.js', script, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const found = new Map();
  const visit = (node) => {
    const children = node.getChildren(source);
    children.forEach(visit);
    if (children.length > 0) return;
    // Comments stand between tokens; only the parser can tell them from what looks like one inside a text or a pattern.
    const comments = [
      ...(ts.getLeadingCommentRanges(script, node.pos) ?? []),
      ...(ts.getTrailingCommentRanges(script, node.end) ?? []),
    ];
    for (const comment of comments) found.set(comment.pos, comment);
  };
  visit(source);
  return [...found.values()].toSorted((one, other) => one.pos - other.pos);
}
