/** [P-19.2] Messages: the pages' objects and the bot's arrays, as the fields of Telle's that hold what was said, and back again. */
import { isJsonObject } from '../../protocol/checker.ts';
import { contentOf, partsOf, wordsIn as wordsOfContent } from './content.ts';
import type { Fields } from './records.ts';

/** The deepest that words are looked for in what a bot shows. */
const MAX_DEPTH = 10;

const joined = (parts: readonly unknown[]): string =>
  parts.filter((part) => typeof part === 'string' && part !== '').join('\n');
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The words of a template, in the order in which they are shown. */
function wordsIn(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) return '';
  if (Array.isArray(value)) return joined(value.map((each) => wordsIn(each, depth + 1)));
  if (!isJsonObject(value)) return '';
  const { title, subtitle, text, ...more } = value;
  return joined([title, subtitle, text, ...Object.values(more).map((each) => wordsIn(each, depth + 1))]);
}

/** Kinds of what the pages and the bot said, each as text; the first that has any is the one. */
const PARTS: readonly ((part: Fields) => unknown)[] = [
  ({ data }) =>
    isJsonObject(data) && (data.text || data.emoji || data.url || (isJsonObject(data.file) && data.file.url)),
  ({ text }) => isJsonObject(text) && joined(listOf(text.text)),
  ({ quickReplies: asked }) => isJsonObject(asked) && joined([asked.title, ...listOf(asked.quickReplies)]),
  ({ card }) => isJsonObject(card) && joined([card.title, card.subtitle]),
  ({ image }) => isJsonObject(image) && image.imageUri,
  ({ payload }) => wordsIn(payload),
];

/** The text of a message: an object of a page's, an array of the bot's, or text. */
export function textOf(message: unknown, depth = 0): unknown {
  if (Array.isArray(message)) return depth > MAX_DEPTH ? '' : joined(message.map((each) => textOf(each, depth + 1)));
  if (!isJsonObject(message)) return message;
  for (const part of PARTS) {
    const text = part(message);
    if (text) return text;
  }
  return '';
}

/** The text of a message as a table keeps it: JSON as text, perhaps twice. */
export function textOfColumn(message: unknown): unknown {
  const inner = typeof message === 'string' ? parsed(message) : undefined;
  return inner === undefined ? textOf(message) : textOfColumn(inner);
}

/** The value of a text of JSON, where it is an object, an array or a text. */
function parsed(text: string): unknown {
  if (!/^\s*["[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The fields of Telle's that hold what was said. */
export function heldIn(message: unknown): Fields {
  const content = Array.isArray(message) ? contentOf(message) : undefined;
  return { message: textOf(message), ...(content && { content }) };
}

/** Shows what was said as who hears it expects it: of the bot an array of Dialogflow's, of anybody else a page's object. */
export function shown({ user, message, content }: Fields): object {
  if (user === 'bot') return partsOf(String(message), content);
  return { author: 'me', type: 'text', data: { text: [message, ...wordsOfContent(content)].join('\n') } };
}
