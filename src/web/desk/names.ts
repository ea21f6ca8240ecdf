/** A customer's name as it is shown: on one line, short, and with nothing in it that is not seen. */

/** The most characters of it that are shown: a long name, and no letter. */
const LONGEST = 60;
/** Characters that break a line, or look like a space and are none. */
const BREAKS = /[\p{Cc}\p{Z}\u2800]+/gu;
/** Characters that are invisible, or reverse the order of what follows. */
const UNSEEN = /[\p{Cf}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}]/gu;
/** More marks on a letter than any language has: they would cover the lines around it. */
const HEAPED = /(\p{M}{3})\p{M}+/gu;

export function plainName(text: string): string {
  const name = text.replace(BREAKS, ' ').replace(UNSEEN, '').replace(HEAPED, '$1').trim();
  const characters = [...name];
  return characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join('')}…` : name;
}
