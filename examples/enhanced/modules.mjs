// A program made of modules, as DSPy's are, composed from TypeScript: modules are created, compiled by examples, put together and called,
// and their predictions come back by a serializer of their own. DSPy asks a language model; so that this runs offline, modules/triage.py learns by itself.
import { fileURLToPath } from 'node:url';

import { createSnakepit, python, ref } from 'nestjs-snakepit/core';

const folder = fileURLToPath(new URL('modules', import.meta.url));
const snakepit = await createSnakepit({
  adapter: python({ enhanced: { allow: ['triage'] }, path: [folder] }),
  size: 1,
});
const session = await snakepit.python().createSession();

const examples = [
  ['my invoice is wrong', 'billing', 'calm'],
  ['charged twice on the invoice', 'billing', 'urgent'],
  ['the app crashes when it starts', 'bugs', 'urgent'],
  ['a button has the wrong color', 'bugs', 'calm'],
  ['all our data is lost help now', 'bugs', 'urgent'],
];
const column = (at) => examples.map((row) => row[at]);
await session.createModel('triage.Classify', { labels: ['billing', 'bugs'] }, { storeAs: 'queue' });
await session.createModel('triage.Classify', { labels: ['calm', 'urgent'] }, { storeAs: 'urgency' });
await session.trainModel('queue', { data: { X: column(0), y: column(1) } });
await session.trainModel('urgency', { data: { X: column(0), y: column(2) } });
await session.call('triage.Triage', [ref('queue'), ref('urgency')], {}, { storeAs: 'triage_program' });

for (const text of ['the invoice is charged twice', 'the app is lost help']) {
  const { queue, urgent, why } = await session.call(ref('triage_program'), [text]);
  console.log(`${text}: ${queue}${urgent ? ', urgent' : ''} (${why.map(({ label }) => label).join(', ')})`);
}
const signature = await session.inspect('triage.Triage');
console.log(signature.doc);
await snakepit.close();
