import { type Part, partsOf } from '../text/links.ts';

/** Texts that were divided already: the log is drawn anew with each message. */
const divided = new Map<string, readonly Part[]>();
const MOST = 1_000;

function divide(text: string): readonly Part[] {
  const known = divided.get(text);
  if (known) return known;
  if (divided.size >= MOST) divided.clear();
  const parts = partsOf(text);
  divided.set(text, parts);
  return parts;
}

/** A text, its addresses and numbers as links. They lead out of the page, which learns nothing by them. */
export function Said({ text = '' }: { readonly text?: string | undefined }) {
  return divide(text).map(({ text, href }) =>
    href === undefined ? (
      text
    ) : (
      <a href={href} dir="ltr" target="_blank" rel="noopener noreferrer">
        {text}
      </a>
    ),
  );
}
