/** Texts of the desk, in the language of whoever sits at it. */
import { en, type TextName, type Texts } from './languages/en.ts';
import { LANGUAGES } from './languages/languages.ts';

const languageOf = (tag: string): string => tag.toLowerCase().split('-')[0] ?? '';

/** The first wish that the desk speaks, region included: it says how dates are written. */
export const spoken = (wishes: readonly string[]): string =>
  wishes.find((tag) => LANGUAGES.has(languageOf(tag))) ?? 'en';

export const LOCALE = spoken(navigator.languages ?? []);
const TEXTS: Texts = LANGUAGES.get(languageOf(LOCALE)) ?? en;
const PLURALS = new Intl.PluralRules(LOCALE);

const pick = (name: TextName, count: unknown): string => {
  const text = TEXTS[name];
  if (typeof text === 'string') return text;
  return PLURALS.select(Number(count)) === 'one' ? text.one : text.other;
};

/** A text with what is put in, part by part: whatever is put in stays what it is, such as an element. */
export function parts<Value>(
  name: TextName,
  values: Readonly<Record<string, Value>>,
  count: number | undefined = undefined,
): (string | Value)[] {
  return pick(name, count)
    .split(/\{(\w+)\}/)
    .map((part, index) => (index % 2 === 0 ? part : (values[part] ?? '')));
}

/** A text. @param values what is put in; by its `count` the form is chosen */
export const text = (name: TextName, values: Readonly<Record<string, string | number>> = {}): string =>
  parts(name, values, Number(values.count)).join('');
