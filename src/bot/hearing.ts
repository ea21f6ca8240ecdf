/** Meaning of an event for a bot: a conversation may wait for it, or it is to stop. */
import type { Event } from '../../schemas/delivered.ts';
import type { Facts } from './reading.ts';
import { messagesIn } from './reading.ts';
import type { Message } from './types.ts';

interface Meaning {
  /** True where the conversation waits for a bot, as far as the event says. */
  readonly waits: boolean;
  /** True where whoever is about to answer is to stop. */
  readonly stops: boolean;
}

const STOPS: Meaning = { waits: false, stops: true };
const waitsIf = (waits: boolean): Meaning => ({ waits, stops: false });

type Of<Type extends Event['type']> = Extract<Event, { type: Type }>;

/** Meanings of the events that have one. `asked` is the seq of the message that is being answered; 0: none is. */
const MEANINGS: { readonly [Type in Event['type']]?: (event: Of<Type>, asked: number) => Meaning } = {
  CHAT_MSG: ({ user, waiting, replyTo }, asked) => {
    const waits = waiting?.for === 'bot';
    // Another instance has given the answer, or another bot.
    const isAnswer = user === 'bot' && (!waits || (replyTo !== undefined && replyTo >= asked));
    return { waits, stops: user === 'admin' || isAnswer };
  },
  MUTE_STATUS: ({ muted, waiting }) => (muted ? STOPS : waitsIf(waiting?.for === 'bot')),
  ASSIGNED: ({ assignee }) => (assignee === null ? waitsIf(false) : STOPS),
  HANDOFF: () => STOPS,
  CLOSE_CHAT: () => STOPS,
  SET_ASIDE: () => STOPS,
  ERASE_GROUP: () => STOPS,
};

/** The meaning of an event; undefined: it has none. */
export function meaningOf<Type extends Event['type']>(event: Of<Type> & { type: Type }, asked: number) {
  const meaning: ((event: Of<Type>, asked: number) => Meaning) | undefined = MEANINGS[event.type];
  return meaning?.(event, asked);
}

/** The message that a bot is to answer now; undefined: none. */
export function questionIn({ group, events }: Facts): Message | undefined {
  if (group.waiting?.for !== 'bot') return undefined;
  const question = messagesIn(events).findLast(({ user }) => user === 'customer');
  if (question === undefined) return undefined;
  const since = events.filter(({ seq }) => seq > question.seq).map(({ payload }) => payload);
  const isAnswered = since.some((said) => said.type === 'CHAT_MSG' && Number(said.replyTo) >= question.seq);
  // An agent has taken this message, and has not let the bot have it again.
  const turn = since.findLast((event) => event.type === 'ASSIGNED' || (event.type === 'MUTE_STATUS' && !event.muted));
  const isTaken = turn?.type === 'ASSIGNED' && turn.assignee !== null;
  return isAnswered || isTaken ? undefined : question;
}
