import english from './words/en.json' with { type: 'json' };

/** Words of the widget. `{name}` and `{count}` stand for what is only known then. */
export type Words = Readonly<Record<keyof typeof english, string>>;

export { english };

/** Languages that there are besides English: a file of each is in `words/`. */
export const LANGUAGES = ['ar', 'de', 'es', 'fr', 'he', 'ja', 'pt', 'zh'] as const;

/** Languages that are written from right to left, ours or not: `data-words` may be in any. */
const TO_THE_LEFT = /^(ar|ckb|dv|fa|he|iw|ps|sd|ug|ur|yi)\b/i;

export const directionOf = (lang: string): 'ltr' | 'rtl' => (TO_THE_LEFT.test(lang) ? 'rtl' : 'ltr');

/** The words of a language, the page's own before ours; English ones where there are no others. */
export async function wordsFor(lang: string, base: URL, own: Partial<Words>): Promise<Words> {
  const language = LANGUAGES.find((each) => new RegExp(`^${each}\\b`, 'i').test(lang));
  const ours = language && (await read(new URL(`widget.${language}.json`, base)));
  return { ...english, ...ours, ...own };
}

async function read(url: URL): Promise<Partial<Words>> {
  try {
    const response = await fetch(url, { credentials: 'omit' });
    return response.ok ? JSON.parse(await response.text()) : {};
  } catch {
    console.error(`telle: the words at ${url} cannot be read, and are English: is ${url.origin} in connect-src?`);
    return {};
  }
}

/** A sentence with its gaps filled. */
export const say = (sentence: string, gaps: Readonly<Record<string, string | number>>): string =>
  sentence.replace(/\{(\w+)\}/g, (gap, name: string) => String(gaps[name] ?? gap));
