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
    const lineEnd = script.indexOf('\n', end);
    const endsLine = script.slice(end, lineEnd === -1 ? undefined : lineEnd).trim() === '';
    stripped += script.slice(kept, pos);
    if (endsLine) stripped = withoutBlanksAtEnd(stripped);
    // What a comment keeps apart stays apart.
    stripped += script.slice(pos, end).replaceAll(/[^\n]/g, '') || (endsLine ? '' : ' ');
    kept = end;
  }
  return stripped + script.slice(kept);
}

function withoutBlanksAtEnd(text) {
  let end = text.length;
  while (text[end - 1] === ' ' || text[end - 1] === '\t') end -= 1;
  return text.slice(0, end);
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
