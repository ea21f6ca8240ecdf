/** [P-18.2] A bot's answer as it grows: what events say of it, and how it is shown on one row of a terminal. */
import type { Event } from '../../schemas/delivered.ts';
import { plainText } from '../protocol/words.ts';

/** The answer so far, where an event tells of one. */
export const growingIn = (event: Event): string | null =>
  event.type === 'TYPING' && event.typing ? (event.text ?? null) : null;

/** Tells whether an event takes the place of an answer that grows, or ends it. */
export const endsAnswer = (event: Event): boolean =>
  event.type === 'CLOSE_CHAT' ||
  (event.type === 'MUTE_STATUS' && event.muted) ||
  ((event.type === 'CHAT_MSG' || event.type === 'TYPING') && event.user === 'bot');

/** The end of a text, as much as fits on a row: a terminal does not go on to the next where characters are wider than one. */
export function onOneRow(text: string, columns: number): string {
  const characters = [...plainText(text).replace(/\s+/g, ' ')];
  const end = characters.length < columns ? characters : ['…', ...characters.slice(2 - columns)];
  return `\x1b[?7l${end.join('')}\x1b[?7h`;
}
