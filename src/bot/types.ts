/** Types of `telle/bot`: what a bot is made of, and what its answers are made from. */
import type { Static } from '@sinclair/typebox';
import type { Content } from '../../schemas/content.ts';
import type { SessionPayload } from '../../schemas/frames.ts';
import type { Options } from '../client/types.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** One message of a conversation. */
export interface Message {
  readonly seq: number;
  readonly at: string;
  readonly user: 'customer' | 'admin' | 'bot';
  readonly adminId?: string;
  readonly text: string;
  /** [P-18.1] Choices, cards or a vehicle that it shows besides. */
  readonly content?: Static<typeof Content>;
  /** The seq of what it answers, and the value of the choice that was taken. */
  readonly replyTo?: number;
  readonly value?: string;
}

/** [P-13.2] Answer to whether the dealer is open and an agent here, and when `open` turns. */
export type Availability = NonNullable<SessionPayload['availability']>;

/** All that an answer is made from. */
export interface Conversation {
  readonly dealerId: string;
  readonly groupId: string;
  /** The latest messages, the oldest first: those of its last 200 events. */
  readonly messages: readonly Message[];
  /** The customer's last message, which is to be answered. */
  readonly question: Message;
  /** [P-6.4] The customer's record and lead, merged: empty where nothing is known. */
  readonly customer: Fields;
  readonly lead: Fields;
  /** Page that the customer looked at last, as its page view says: `url`, `title`, … */
  readonly page: Fields | undefined;
  /** Vehicle that the customer asks about, or looked at last. */
  readonly vehicle: Fields | undefined;
  /** Language of the customer's record (its `locale`). */
  readonly language: string | undefined;
  readonly availability: Availability;
  /** Aborted when a person takes over, when the time is up, and at the end of the bot: stop then, nothing is sent any more. */
  readonly signal: AbortSignal;
  /** Asks for a person [P-12.8]; the reason is for the agents. What is returned after it is said all the same. */
  handOff(reason?: string): Promise<void>;
}

/** An answer: its text, or its text and what it shows besides [P-18.1]. */
export type Said = string | { readonly message: string; readonly content?: Static<typeof Content> };
/** An answer as it grows: parts of its text, each put behind the others. */
export type Parts = Iterable<string> | AsyncIterable<string>;
/** Return of `answer`: nothing at all ends in a hand-off, unless it asked for one. */
export type Answer = Said | Parts | undefined;

export interface BotOptions extends Pick<Options<'server'>, 'url' | 'token' | 'backoff' | 'timeout' | 'WebSocket'> {
  /** The dealer, where the token is a function, or for all dealers: else the token says it. */
  readonly dealerId?: string;
  /** Answers the customer's last message. What it throws ends in a hand-off. */
  readonly answer: (conversation: Conversation) => Answer | Promise<Answer>;
  /** The most answers at a time (8): other conversations wait. */
  readonly concurrency?: number;
  /** The longest an answer may take, in milliseconds (25,000): then a person is asked for. Less than the dealer's `answerWithin.bot`. */
  readonly timeLimit?: number;
  /** Said after a hand-off while nobody is there: asks how the customer can be reached. */
  readonly askContact?: string | ((conversation: Conversation) => string);
  /** Takes the lines of the log (`console.error`). No line has anything that a customer said. */
  readonly log?: (line: string) => void;
}

export interface Bot {
  /** Ends it: what is being answered is given up, and another instance, or the next start, answers it. */
  close(): void;
}
