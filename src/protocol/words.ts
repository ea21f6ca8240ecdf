/** Events in words, for people who read a transcript or a terminal. */
import type { Event } from '../../schemas/delivered.ts';
import { KINDS } from '../../schemas/table.ts';

export { plainText } from '../../schemas/said.ts';

/** Says what happened, in one sentence or as `who: text`. */
export const inWords = (event: Event): string => KINDS[event.type].inWords(event);
