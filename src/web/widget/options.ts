import type { Vehicle } from './vehicle.ts';
import { directionOf, english, type Words } from './words.ts';

/** Options of the script tag. */
export interface Options {
  /** Where the server is, with a slash at the end. */
  readonly base: URL;
  /** Where the script came from; what it needs besides is beside it. */
  readonly home: URL;
  readonly dealerId: string;
  /** A language's tag that the platform knows. */
  readonly lang: string;
  readonly direction: 'ltr' | 'rtl';
  readonly words: Words;
  /** Words that the page has for some of ours. */
  readonly own: Partial<Words>;
  readonly theme: string | undefined;
  /** True where a message that comes while nobody looks is heard. */
  readonly hasSound: boolean;
  /** True where page views are sent. */
  readonly hasPageviews: boolean;
  /** True where what follows `#` is an address of the site's. */
  readonly hasHash: boolean;
  readonly vehicle: Vehicle | undefined;
  /** Where the dealer says what becomes of the details that are left. */
  readonly privacy: string | undefined;
}

/** Says what is wrong with the tag to whoever has put it there. */
const complain = (sentence: string) => console.error(`telle: ${sentence}`);

const EXAMPLE = '<script src="https://chat.example/widget.js" data-dealer="…" async></script>';

/** The widget's tag: the one that runs; a module is told of none, and looks for it. */
export function findTag(): HTMLScriptElement | null {
  const { currentScript } = document;
  if (currentScript instanceof HTMLScriptElement) return currentScript;
  const named = document.querySelector<HTMLScriptElement>('script[data-dealer][src*="widget"]');
  return named ?? document.querySelector<HTMLScriptElement>('script[data-dealer]');
}

/** @returns null where the chat cannot be; that is said then */
export function optionsOf(tag: HTMLScriptElement | null): Options | null {
  if (!tag) {
    complain(`the widget was loaded, but its tag is not on the page: it says which dealer it is for: ${EXAMPLE}`);
    return null;
  }
  const { dealer, url, lang, words, title, theme, pageviews, privacy, vin, hash, sound } = tag.dataset;
  const home = urlOf('.', tag.src);
  const base = url === undefined ? home : urlOf('.', `${url}/`);
  if (!dealer) complain(`data-dealer is missing: ${EXAMPLE}`);
  else if (!base) complain(`data-url is "${url ?? ''}": it must be the server's address, such as https://chat.example`);
  if (!dealer || !base) return null;
  const language = canonical(lang ?? document.documentElement.lang) ?? canonical(navigator.language) ?? 'en';
  const own = { ...(words && wordsIn(words)), ...(title && { title }) };
  oneOf('data-theme', theme, ['light', 'dark']);
  return {
    base,
    home: home ?? base,
    dealerId: dealer,
    lang: language,
    direction: directionOf(language),
    words: { ...english, ...own },
    own,
    theme,
    hasSound: oneOf('data-sound', sound, ['on', 'off']) !== 'off',
    hasPageviews: oneOf('data-pageviews', pageviews, ['on', 'off']) !== 'off',
    hasHash: oneOf('data-hash', hash, ['on', 'off']) === 'on',
    vehicle: vin ? { vin } : undefined,
    privacy,
  };
}

function urlOf(path: string, base: string): URL | undefined {
  try {
    const url = new URL(path, base);
    return /^https?:$/.test(url.protocol) ? url : undefined;
  } catch {
    return undefined;
  }
}

/** A value, and a complaint where it is none of those that there are. */
function oneOf(name: string, value: string | undefined, known: readonly string[]): string | undefined {
  if (value !== undefined && !known.includes(value))
    complain(`${name} is "${value}": it must be ${known.join(' or ')}`);
  return value;
}

/** The words of `data-words` that are some; a complaint of what is none. */
function wordsIn(text: string): Partial<Words> {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch (error) {
    complain(`data-words is no JSON, and is left out: ${String(error)}. Write it as {"hello": "Good morning!"}`);
  }
  const isWord = ([name, word]: [string, unknown]) => typeof word === 'string' && Object.hasOwn(english, name);
  const entries = Object.entries(Object(said));
  const bad = entries.filter((entry) => !isWord(entry)).map(([name]) => name);
  if (bad.length > 0) complain(`data-words has what is no word, or no text, and it is left out: ${bad.join(', ')}`);
  return Object.fromEntries(entries.filter(isWord));
}

function canonical(lang: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(lang.replace('_', '-') || undefined)[0];
  } catch {
    return undefined;
  }
}
