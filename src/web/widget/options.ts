import { type Words, wordsOf } from './words.ts';

/** Options of the script tag. */
export interface Options {
  /** Where the server is, with a slash at the end. */
  readonly base: URL;
  readonly dealerId: string;
  /** A language's tag that the platform knows. */
  readonly lang: string;
  readonly words: Words;
  readonly theme: string | undefined;
  /** True where page views are sent. */
  readonly hasPageviews: boolean;
  /** Where the dealer says what becomes of the details that are left. */
  readonly privacy: string | undefined;
}

/** @throws Error where the tag names no dealer */
export function optionsOf({ src, dataset }: HTMLScriptElement): Options {
  const { dealer, url, lang, words, title, theme, pageviews, privacy } = dataset;
  if (!dealer) throw new Error('telle: data-dealer is missing');
  const language = canonical(lang ?? document.documentElement.lang) ?? canonical(navigator.language) ?? 'en';
  return {
    base: new URL('.', url ? `${url}/` : src),
    dealerId: dealer,
    lang: language,
    words: { ...wordsOf(language), ...(words && JSON.parse(words)), ...(title && { title }) },
    theme,
    hasPageviews: pageviews !== 'off',
    privacy,
  };
}

function canonical(lang: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(lang.replace('_', '-') || undefined)[0];
  } catch {
    return undefined;
  }
}
