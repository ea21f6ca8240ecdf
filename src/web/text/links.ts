/** Parts of a message that can be tapped: addresses of the web, e-mail addresses and phone numbers. Nothing else is one. */
import { LinkifyIt } from 'linkify-it';

/** A piece of a text, in its order; with an address where it can be tapped. */
export interface Part {
  readonly text: string;
  readonly href?: string;
}

/** Longest text in which links are looked for, in UTF-16 units: no message is longer, and each look has an end. */
const MOST = 16_000;

/** Other schemes than these lead nowhere, whatever stands before them. */
const finder = new LinkifyIt({ fuzzyLink: true, fuzzyEmail: true, fuzzyIP: false })
  .add('ftp:', null)
  .add('//', null)
  // Names that are nobody's, as documents use them [RFC 2606], and those that dealers have.
  .tlds(['example', 'test', 'auto', 'cars', 'car', 'app', 'dev', 'io', 'online', 'site', 'store', 'me'], true);

/**
 * A number of a phone as people write it: it begins with `+`, `0` or a bracket, or is written in groups, and has 7 to 15 digits. Dates, prices
 * and lists of numbers are none.
 */
const PHONE =
  /(?<![\p{L}\p{N}.,/#@$€£+-])(?<!\p{N}:)(?:\+|00)?\(?\d(?:[\d ().\u00a0\u2010-\u2015/-]*\d)?(?![\p{L}\p{N}]|[.,:/-]\d)/gu;
const DATE = /^(?:\d{4}[-./ ]\d{1,2}[-./ ]\d{1,2}|\d{1,2}[-./ ]\d{1,2}[-./ ]\d{2,4})(?![-./ ]?\d)/;
const YEARS = /^(?:(?:19|20)\d\d\D*)+$/;

/** Schemes that run or show what they hold. */
const OTHERS = /\b(?:about|blob|data|file|javascript|vbscript|view-source):\S*$/i;

/** Rest of a name, with or without a word, before the host that it is for. */
const NAME = /^(?::[^\s/@]*)?@/;

function isPhone(text: string): boolean {
  const digits = text.replace(/\D/g, '');
  if (digits.length < 7 || digits.length > 15 || DATE.test(text) || YEARS.test(text)) return false;
  if (/^(?:\+|00|0|\()/.test(text)) return true;
  const groups = text.split(/\D+/);
  // `12 500 000` is an amount, `1-800-555-0100` and `555-0100` are not.
  const isAmount = /^\d{1,3}(?:[ .\u00a0]\d{3})+$/.test(text);
  return groups.length > 1 && groups.length < 6 && !isAmount && digits.length >= (/[-(]/.test(text) ? 7 : 9);
}

/** Where a number is dialled: a `(0)` behind a country's code is not. */
const dialled = (text: string): string => `tel:${text.replace(/^(\+\d{1,3}[ -]?)\(0\)/, '$1').replace(/[^\d+]/g, '')}`;

function* phonesIn(text: string): Generator<Part> {
  let end = 0;
  for (const { 0: found, index } of text.matchAll(PHONE)) {
    if (!isPhone(found)) continue;
    if (index > end) yield { text: text.slice(end, index) };
    yield { text: found, href: dialled(found) };
    end = index + found.length;
  }
  if (end < text.length) yield { text: text.slice(end) };
}

/** An address that a browser may be sent to; undefined for any other scheme, and for one that hides who it is about. */
function safe(url: string): string | undefined {
  try {
    const { protocol, username, password } = new URL(url);
    if (protocol === 'mailto:') return url;
    return /^https?:$/.test(protocol) && username === '' && password === '' ? url : undefined;
  } catch {
    return undefined;
  }
}

/** Divides a text: what is put together again is the same text. */
export function partsOf(text: string): readonly Part[] {
  if (text.length > MOST) return [{ text }];
  const parts: Part[] = [];
  let end = 0;
  for (const { index, lastIndex, raw, url } of finder.match(text) ?? []) {
    const href = safe(url);
    // What is a piece of something else, as in `javascript:http://…` or before a name's `@`, is no address.
    if (href === undefined || OTHERS.test(text.slice(end, index)) || NAME.test(text.slice(lastIndex))) continue;
    parts.push(...phonesIn(text.slice(end, index)), { text: raw, href });
    end = lastIndex;
  }
  return [...parts, ...phonesIn(text.slice(end))];
}
