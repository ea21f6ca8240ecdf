/** Words for who answers, whether anybody can, and when somebody will [P-12, P-13]. */
import type { Conversation } from './conversation.ts';
import type { Author } from './setting.ts';
import { say, type Words } from './words.ts';

/** Author who answers now, as far as it is known. */
export function authorOf({ entries, muted, assignee, typist }: Conversation): Author | undefined {
  if (muted) {
    const last = entries.findLast(({ kind }) => kind === 'joined' || kind === 'admin');
    return { kind: 'admin', name: assignee ?? last?.name };
  }
  const isBots = typist?.kind === 'bot' || entries.some(({ kind }) => kind === 'bot');
  return isBots ? { kind: 'bot' } : undefined;
}

/** A moment as the customer reads it; the zone is theirs, and is named. */
export function momentOf(at: string, lang: string): string {
  const date = new Date(at);
  const time = { hour: 'numeric', minute: '2-digit', timeZoneName: 'short' } as const;
  const isToday = date.toDateString() === new Date().toDateString();
  return date.toLocaleString(lang, isToday ? time : { weekday: 'long', day: 'numeric', month: 'long', ...time });
}

/** When somebody will be here, where that is known: nobody is, and the dealer opens then. */
const opensAt = ({ availability }: Conversation): string | undefined =>
  availability?.open === false ? availability.changesAt : undefined;

/** Says who answers; nothing before that is known. An agent who is not here does not. */
export function answering(conversation: Conversation, words: Words, lang: string): string {
  const { availability } = conversation;
  const author = authorOf(conversation);
  if (author?.kind === 'bot') return words.botAnswers;
  if (!availability) return '';
  if (!availability.admins) {
    const at = opensAt(conversation);
    return at === undefined ? words.away : say(words.closedUntil, { time: momentOf(at, lang) });
  }
  return author ? say(words.adminAnswers, { name: author.name ?? words.admin }) : words.here;
}

/** Tells whether what the customer has written is read by nobody now. */
export const isAlone = (conversation: Conversation): boolean =>
  conversation.availability?.admins === false &&
  authorOf(conversation)?.kind !== 'bot' &&
  conversation.entries.some(({ kind }) => kind === 'customer');

/** Tells whether it is known how the customer can be reached. */
export const isReachable = ({ records: { user } }: Conversation): boolean => Boolean(user.phone || user.email);

/** Says when the customer will hear of the dealer. */
export function calledWhen(conversation: Conversation, words: Words, lang: string): string {
  const at = opensAt(conversation);
  return at === undefined ? words.callLater : say(words.callAt, { time: momentOf(at, lang) });
}
