/** Text of records that XML can carry: words for elements, and readable lines for what no element says. */
import type { Fields } from '../../../schemas/records.ts';
import { isJsonObject } from '../../protocol/checker.ts';

/** Facts about somebody or something, by field: none is empty. */
export type Words = ReadonlyMap<string, string>;

/** Characters that XML 1.0 cannot hold: controls, halves of characters, U+FFFE and U+FFFF. */
const UNSAYABLE = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;

function textOf(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'string' || typeof value === 'number' ? String(value).replace(UNSAYABLE, '').trim() : '';
}

/** A value as one line; empty where it says nothing, or is no single value. */
export const wordOf = (value: unknown): string => textOf(value).replace(/\s+/g, ' ');

/** Those of some fields that a record says. */
export function wordsOf(record: Fields | null, names: readonly string[]): Words {
  const words = names.map((name) => [name, wordOf(record?.[name])] as const);
  return new Map(words.filter(([, word]) => word !== ''));
}

/** A field's name as words: `preferredTime` is `preferred time`. */
const labelOf = (name: string): string =>
  wordOf(name).replace(/(?<=[a-z])[A-Z](?=[a-z])/g, (letter) => ` ${letter.toLowerCase()}`);

/**
 * Lines of a value, one for each single value in it: `label: text`.
 * @param label what stands before the fields' own names; may be empty
 * @param said fields of the value that are left out where they hold just this word
 */
export function linesOf(label: string, value: unknown, said: Words = new Map()): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => linesOf(label, item));
  if (isJsonObject(value)) {
    return Object.entries(value)
      .filter(([name, inner]) => !said.has(name) || said.get(name) !== wordOf(inner))
      .flatMap(([name, inner]) => linesOf(`${label} ${labelOf(name)}`.trim(), inner));
  }
  // Further lines are set in, so that none of them can be taken for a field's.
  const text = textOf(value).replace(/\r\n?|\n/g, '\n  ');
  return text ? [`${label}: ${text}`] : [];
}

/** The text of a `comments` element; undefined where there is nothing to say. */
export const commentsOf = (lines: readonly string[]): string | undefined =>
  lines.length > 0 ? lines.join('\n') : undefined;
