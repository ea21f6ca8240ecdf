/**
 * [P-17.1] Meaning of a search: words by their beginning, without regard to case, accents and apostrophes; phone numbers by their
 * digits; VIN and stock exactly.
 */

const MARKS = /\p{M}/gu;
const APOSTROPHES = /['’‘ʼ´`]/g;
const WORD = /[\p{L}\p{N}\p{M}'’‘ʼ]+/gu;
/** Scripts that put no space between words: a word may begin anywhere. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

const fold = (text: string): string => text.normalize('NFKD').replace(MARKS, '').toLowerCase();
const bare = (word: string): string => word.replace(APOSTROPHES, '');

/** Form of a phone number, as people write it. */
const PHONE = /^[+(\d][\d\s()./-]*$/;
/** Fewer digits are in too many numbers. */
const FEWEST_DIGITS = 4;
/** Zero that is dialled within a country alone, before seven digits or more. */
const TRUNK = /^0(?=\d{7})/;
const digitsOf = (text: string): string => text.replace(/\D/g, '');

/** Characters of a text before the first word that was searched for, and all that is shown of it. */
const BEFORE = 40;
const LONGEST = 160;

export interface Matcher {
  /** @returns the part of a text in which it is found; null where it is not */
  inText(text: string): string | null;
  isPhone(number: string): boolean;
  /** Tells whether it is this very VIN or stock number. */
  isExactly(value: string): boolean;
}

/** Tells whether a word, folded, begins so; or does behind an apostrophe. */
function begins(word: string, wanted: string): boolean {
  if (UNSPACED.test(wanted)) return word.includes(wanted);
  return bare(word).startsWith(wanted) || word.split(APOSTROPHES).some((part) => part.startsWith(wanted));
}

function snippetOf(text: string, at: number): string {
  const [from, to] = [Math.max(0, at - BEFORE), Math.max(0, at - BEFORE) + LONGEST];
  // Half of a pair is no character.
  const part = text
    .slice(from, to)
    .toWellFormed()
    .replace(/^\ufffd|\ufffd$/g, '');
  return `${from > 0 ? '…' : ''}${part}${to < text.length ? '…' : ''}`;
}

export function matcherOf(search: string): Matcher {
  const wanted = [...fold(search).matchAll(WORD)].map(([word]) => bare(word)).filter(Boolean);
  const digits = PHONE.test(search.trim()) ? digitsOf(search) : '';
  const exact = fold(search).trim();
  return {
    inText(text) {
      if (wanted.length === 0) return null;
      const words = [...text.matchAll(WORD)].map(({ 0: word, index }) => ({ word: fold(word), index }));
      const places = wanted.map((each) => words.find(({ word }) => begins(word, each))?.index);
      const found = places.filter((place) => place !== undefined);
      return found.length === wanted.length ? snippetOf(text, Math.min(...found)) : null;
    },
    isPhone: (number) => digits.length >= FEWEST_DIGITS && digitsOf(number).includes(digits.replace(TRUNK, '')),
    isExactly: (value) => exact !== '' && fold(value).trim() === exact,
  };
}
