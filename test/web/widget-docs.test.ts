/** docs/widget.md says all that there is to say to the widget, and nothing that is not there. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Tokens } from '../../src/auth/tokens.ts';
import { inFolder } from '../support/server.ts';

const [docs, options, css, words] = await Promise.all(
  ['docs/widget.md', 'src/web/widget/options.ts', 'src/web/widget/widget.css', 'src/web/widget/words/en.json'].map(
    (path) => readFile(path, 'utf8'),
  ),
);

/** Everything that a pattern's first group finds, once each. */
const found = (text: string | undefined, pattern: RegExp): string[] =>
  [...new Set([...(text ?? '').matchAll(pattern)].map(([, name = '']) => name))].sort();

test('docs/widget.md mints a token that is taken', () =>
  inFolder(async (folder) => {
    const [, code = ''] = /```js\n(import \{ createHmac.*?)```/s.exec(docs ?? '') ?? [];
    const file = join(folder, 'mint.mjs');
    await writeFile(file, `${code}export { mint };`);
    const { mint } = await import(pathToFileURL(file).href);
    const secret = 'a secret of 32 bytes and no more';
    const { claims, ours } = new Tokens([secret]).verify(mint(secret, 'd1', 'customer-17'));
    assert.deepEqual([claims.role, claims.dealer, claims.sub, ours], ['customer', 'd1', 'customer-17', false]);
  }));

test('docs/widget.md has every attribute', () => {
  const [, names = ''] = /const \{ (.*) \} = tag\.dataset/.exec(options ?? '') ?? [];
  assert.deepEqual(found(docs, /^\| `data-(\w+)`/gm), names.split(', ').sort());
});

test('docs/widget.md has every custom property', () => {
  assert.deepEqual(found(docs, /`(--telle-[\w-]+)`/g), found(css, /var\((--telle-[\w-]+)/g));
});

test('docs/widget.md has every word', () => {
  const list = /^The words are (.*?);/ms.exec(docs ?? '')?.[1];
  assert.deepEqual(found(list, /`(\w+)`/g), Object.keys(JSON.parse(words ?? '{}')).sort());
});
