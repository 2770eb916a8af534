import { expect, it } from 'vitest';

import { splitWords } from './split-words.js';

it.each([
  ['ruby worker.rb', ['ruby', 'worker.rb']],
  [`  python3  -c 'import x; x.run()' `, ['python3', '-c', 'import x; x.run()']],
  [`a "b \\"c\\" d" e\\ f g''h`, ['a', 'b "c" d', 'e f', 'gh']],
  [`a ''`, ['a', '']],
  ['a $HOME;b', ['a', '$HOME;b']],
])('splits %s', (line, words) => {
  expect(splitWords(line)).toEqual(words);
});

it.each([
  [`ruby 'worker.rb`, /not closed/],
  [`ruby "worker.rb`, /not closed/],
  ['ruby \\', /not closed/],
  ['  ', /empty/],
])('refuses %s', (line, message) => {
  expect(() => splitWords(line)).toThrow(message);
});
