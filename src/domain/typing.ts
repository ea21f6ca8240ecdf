import type { Static } from '@sinclair/typebox';
import type { BotTyping, Typing } from '../../schemas/accepted.ts';
import { author } from './author.ts';
import { type Decision, refuse, type State, withGroup } from './state.ts';
import { handBackAfter } from './waiting.ts';

/** The part of a mute's time, and the most of it in ms, after which an admin's typing is noted: not each is written. */
const PART = 10;
const MOST = 10_000;

/** [P-12.5] An admin who types holds the mute, as with a word. */
function holding(state: State): State {
  const { group, rules, at } = state;
  if (group === null || group.mutedBy === null) return state;
  const { seconds, alone } = handBackAfter(rules);
  const shortest = Math.min(seconds ?? Number.POSITIVE_INFINITY, alone ?? Number.POSITIVE_INFINITY);
  return at - group.actedAt < Math.min(MOST, (shortest * 1000) / PART) ? state : withGroup(state, { actedAt: at });
}

/** [P-18.2] The refusal of an answer that a bot shows while it may not give it; null: it may, or shows none. */
function mayNotShow({ group }: State): Decision | null {
  if (group?.closed) return refuse('group_closed', 'the chat is closed: a bot does not open it again');
  return group?.mutedBy ? refuse('bot_muted', 'the bot is muted in this chat') : null;
}

/** `TYPING`: passed on, never stored [P-7]. The answer so far is a bot's alone to show [P-18.2]. */
export function typing(state: State, body: Static<typeof BotTyping | typeof Typing>): Decision {
  const { dealerId, groupId } = body;
  const who = author(body, 'bot');
  const text = 'text' in body && who.user === 'bot' ? body.text : undefined;
  const isShown = text !== undefined;
  const refusal = isShown ? mayNotShow(state) : null;
  if (refusal) return refusal;
  return {
    events: [{ type: 'TYPING', dealerId, groupId, ...who, typing: body.typing, ...(isShown && { text }) }],
    state: who.user === 'admin' && body.typing ? holding(state) : state,
  };
}
