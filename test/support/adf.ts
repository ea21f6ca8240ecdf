/** ADF documents, held against the DTD by a real validator, and read. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { validate } from './xmllint.ts';

const DTD = fileURLToPath(new URL('adf-1.0.dtd', import.meta.url));

export const validateAdf = (xml: string) => validate(xml, DTD);

/** An element that holds text, or nothing. */
export interface Leaf {
  /** The elements that it is in, from the prospect on, and itself: `customer/contact/name`. */
  readonly path: string;
  readonly text: string;
}

const TOKEN = /<\?[^>]*\?>|<(\/?)([a-z]+)((?: [a-z]+="[^"<]*")*)(\/?)>|([^<]+)/y;
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', '#13': '\r' };
const unescaped = (text: string) =>
  text.replace(/&([^;]*);/g, (_, name: string) => ENTITIES[name] ?? assert.fail(name));

/**
 * Reads a document: for each prospect the elements that hold text, and the attributes of any element as leaves named
 * `path@attribute`, in their order. Fails where it is not valid.
 */
export function readAdf(xml: string): Leaf[][] {
  const { isValid, errors, written } = validateAdf(xml);
  assert.ok(isValid, `${errors}\n${xml}`);
  const prospects: Leaf[][] = [];
  const open: string[] = [];
  let text = '';
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < written.length) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(written) ?? assert.fail(`neither tag nor text: ${written.slice(at, at + 80)}`);
    const [, close, name, attributes = '', empty, characters] = found;
    if (characters !== undefined) text = unescaped(characters);
    if (name === undefined) continue;
    if (!close) {
      open.push(name);
      if (name === 'prospect') prospects.push([]);
      for (const [, attribute, value = ''] of attributes.matchAll(/ ([a-z]+)="([^"]*)"/g)) {
        prospects.at(-1)?.push({ path: `${open.slice(2).join('/')}@${attribute}`, text: unescaped(value) });
      }
    }
    if (close || empty) {
      // Between elements there is only indentation: text counts where nothing but it was since the opening tag.
      if (text.trim() !== '') prospects.at(-1)?.push({ path: open.slice(2).join('/'), text });
      open.pop();
    }
    text = '';
  }
  return prospects;
}
