import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import ts from 'typescript';
import { describe, expect, it } from 'vitest';

import { COMPILED, isPublishedScript } from '../../tools/pack/package-files.mjs';
import { stripComments } from '../../tools/pack/strip-comments.mjs';
import { repository } from './readme-blocks.js';

describe('stripComments', () => {
  it.each([
    ['a line of comment', 'a();\n// no\nb();', 'a();\n\nb();'],
    ['a comment behind code', 'a(); // no\nb();', 'a();\nb();'],
    ['a block over lines', 'a();\n/**\n * no\n */\nb();', 'a();\n\n\n\nb();'],
    ['an indented comment', '{\n    // no\n    a();\n}', '{\n\n    a();\n}'],
    ['a comment between words', 'return/* no */1', 'return 1'],
    ['a comment at the end', 'a(); // no', 'a();'],
    ['a comment in a template’s expression', '`${a /* no */}`', '`${a  }`'],
    ['comments one behind the other', 'a(); /* no */ // nor this\nb();', 'a();\nb();'],
  ])('takes away %s', (_, script, stripped) => {
    expect(stripComments(script)).toBe(stripped);
  });

  it.each([
    '#!/usr/bin/env node\na();',
    "a('// text');",
    '`a // text\n   \n /* text */`',
    String.raw`a(/[/*]\/\/ /);`,
    'const url = `http://${host}/*`;',
  ])('leaves %j alone', (script) => {
    expect(stripComments(script)).toBe(script);
  });

  it('leaves every token of the library on its line', () => {
    for (const { from } of COMPILED) {
      const scripts = readdirSync(join(repository, from), { recursive: true, encoding: 'utf8' }).filter(
        isPublishedScript,
      );
      expect(scripts.length).toBeGreaterThan(30);
      for (const path of scripts) {
        const script = readFileSync(join(repository, from, path), 'utf8');
        expect(tokensOf(stripComments(script)), path).toBe(tokensOf(script));
      }
    }
  }, 60_000);
});

/** Each token with the number of its line. */
function tokensOf(script: string): string {
  const source = ts.createSourceFile('script.js', script, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const tokens: string[] = [];
  const visit = (node: ts.Node): void => {
    const children = node.getChildren(source).filter(({ kind }) => kind < ts.SyntaxKind.FirstJSDocNode);
    if (children.length === 0) {
      const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line;
      tokens.push(`${line} ${node.getText(source)}`);
    } else children.forEach(visit);
  };
  visit(source);
  return tokens.join('\n');
}
