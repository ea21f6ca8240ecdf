/** [P-12] The wait of a customer: who must answer, and until when. */
import type { Answering } from '../../schemas/waiting.ts';
import { opennessAt } from './hours.ts';
import { changed, type Group, type Rules } from './state.ts';

const SECOND = 1000;
const DAY = 24 * 60 * 60 * SECOND;

/** [P-12.2, P-12.5] Times that are taken where a dealer's settings do not say, in seconds. */
const ANSWER_WITHIN = { bot: 30, admin: 120 };
const HAND_BACK_AFTER = { seconds: 900, alone: 120 };

/** Marks of a wait: it was told that one side is overdue, or a bot has asked for a person. */
export const MARK = { bot: 1, admin: 2, handedOff: 4 } as const;

/** For how long a dealer has a bot that has spoken, and to what that is known: it is not written with each message. */
const BOT_LASTS = DAY;
const TO_THE_MINUTE = 60 * SECOND;

/** [P-13.1] Tells whether the dealer has a bot. */
export const hasBot = ({ settings, hasServer, botSpokeAt }: Rules, at: number): boolean =>
  settings.bot ?? (hasServer || at - botSpokeAt < BOT_LASTS);

/** The rules once a bot has spoken. */
export const afterBot = (rules: Rules, at: number): Rules =>
  at - rules.botSpokeAt < TO_THE_MINUTE ? rules : { ...rules, botSpokeAt: at };

/** The side whose it is to answer where a conversation is muted by that admin, or by none. */
export const answering = (mutedBy: string | null, rules: Rules, at: number): Answering =>
  mutedBy === null && hasBot(rules, at) ? 'bot' : 'admin';

/** Changes where nobody waits any more. */
export const ANSWERED: Partial<Group> = { waitingSince: null, waitingFor: null, marks: 0 };

/** It is another's to answer now, if anybody waits. */
export function turned(group: Group, to: Answering, at: number): Group {
  if (group.waitingSince === null || group.waitingFor === to) return group;
  return changed(group, { waitingFor: to, turnedAt: at, marks: group.marks & ~MARK.handedOff });
}

/** [P-12.1] The bot may speak again, or no longer. */
export const turnedByMute = (group: Group, rules: Rules, at: number): Group =>
  turned(group, answering(group.mutedBy, rules, at), at);

/** Seconds after which a side's answer is overdue. */
export const answerWithin = ({ settings }: Pick<Rules, 'settings'>, side: Answering): number =>
  settings.answerWithin?.[side] ?? ANSWER_WITHIN[side];

/** When the answer is overdue that somebody waits for; null where that was told. */
function overdueAt({ waitingFor, turnedAt, marks }: Group, rules: Rules): number | null {
  if (waitingFor === null || (marks & MARK[waitingFor]) !== 0) return null;
  return turnedAt + answerWithin(rules, waitingFor) * SECOND;
}

/** [P-12.2] The side that is overdue and of which it was not told yet; null where none is. */
export function overdue(group: Group, rules: Rules, at: number): Answering | null {
  const due = overdueAt(group, rules);
  return due !== null && due <= at ? group.waitingFor : null;
}

/** [P-12.5] Why a mute ends by itself. */
export type Ending = 'unanswered' | 'alone' | 'hours';

/** Seconds after which a mute ends by itself; null: it never does. */
export const handBackAfter = ({ settings }: Rules) => ({ ...HAND_BACK_AFTER, ...settings.handBackAfter });

/**
 * [P-12.5] When a mute ends by itself, and why: an admin who acts in a conversation is there, whatever is known of sockets. Null: it does
 * not end, as the dealer stands now.
 */
export function leaseOf(
  { mutedBy, actedAt }: Group,
  rules: Rules,
  at: number,
): { readonly ends: number; readonly why: Ending } | null {
  if (mutedBy === null || !hasBot(rules, at)) return null;
  const { seconds, alone } = handBackAfter(rules);
  const ends: { readonly ends: number; readonly why: Ending }[] = [];
  if (seconds !== null) ends.push({ ends: actedAt + seconds * SECOND, why: 'unanswered' });
  if (alone !== null) {
    const { aloneSince } = rules;
    if (aloneSince !== null) ends.push({ ends: Math.max(aloneSince, actedAt) + alone * SECOND, why: 'alone' });
    if (!opennessAt(rules.settings, at).isOpen) ends.push({ ends: actedAt + alone * SECOND, why: 'hours' });
  }
  return ends.toSorted((one, other) => one.ends - other.ends)[0] ?? null;
}

/** When a conversation is to be looked at again; null where nothing can fall due. */
export function dueAt(group: Group, rules: Rules, at: number): number | null {
  if (group.closed || (group.waitingSince === null && group.mutedBy === null)) return null;
  const later = at + DAY;
  return Math.min(overdueAt(group, rules) ?? later, leaseOf(group, rules, at)?.ends ?? later);
}

/**
 * The group with a due that is not too late. One that is too early stays: an index has it, and what would be written with each message is
 * looked at in vain once in a while.
 */
export function withDue(group: Group, rules: Rules, at: number): Group {
  const due = dueAt(group, rules, at);
  return due === null || (group.due !== null && group.due <= due) ? group : changed(group, { due });
}
