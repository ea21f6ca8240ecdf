/** docs/widget.md says all that there is to say to the widget, and nothing that is not there. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

const [docs, options, css, words] = await Promise.all(
  ['docs/widget.md', 'src/web/widget/options.ts', 'src/web/widget/widget.css', 'src/web/widget/words.ts'].map((path) =>
    readFile(path, 'utf8'),
  ),
);

/** Everything that a pattern's first group finds, once each. */
const found = (text: string | undefined, pattern: RegExp): string[] =>
  [...new Set([...(text ?? '').matchAll(pattern)].map(([, name = '']) => name))].sort();

test('docs/widget.md has every attribute', () => {
  const [, names = ''] = /const \{ (.*) \} = dataset/.exec(options ?? '') ?? [];
  assert.deepEqual(found(docs, /^\| `data-(\w+)`/gm), names.split(', ').sort());
});

test('docs/widget.md has every custom property', () => {
  assert.deepEqual(found(docs, /`(--telle-[\w-]+)`/g), found(css, /var\((--telle-[\w-]+)/g));
});

test('docs/widget.md has every word', () => {
  const english = /const english = \{(.*?)^\}/ms.exec(words ?? '')?.[1];
  const list = /^The words are (.*?);/ms.exec(docs ?? '')?.[1];
  assert.deepEqual(found(list, /`(\w+)`/g), found(english, /^ {2}(\w+):/gm));
});
