/** One turn of a bot in one conversation: it reads, answers, and stops as soon as it is told. */
import { createHash } from 'node:crypto';
import { TelleError } from '../client/error.ts';
import type { Client, Payload } from '../client/types.ts';
import { cut, Growing, outcomeOf } from './growing.ts';
import { questionIn } from './hearing.ts';
import { type Facts, messagesIn, type Reading } from './reading.ts';
import type { BotSettings } from './settings.ts';
import type { Answer, Availability, Conversation, Message, Said } from './types.ts';

/** Parts of a bot that every turn needs. */
export interface Place {
  readonly settings: BotSettings;
  readonly client: Client<'server'>;
  readonly reading: Reading;
  availability(): Availability;
}

/** Why a turn stops before its answer is said. */
const TAKEN = new Error('somebody else answers, or nobody is to');
const LATE = new Error('no answer in time');

/** [P-7.3, P-7.4] The bot is not to speak here: that is no failure. */
const isTaken = (error: unknown) =>
  error === TAKEN || (error instanceof TelleError && ['bot_muted', 'group_closed', 'closed'].includes(error.code));

/** An error's kind for the log: its message may have what the customer said. */
function kindOf(error: unknown): string {
  if (error === LATE) return LATE.message;
  if (error instanceof TelleError) return [error.code, ...error.details.map(({ path }) => path)].join(' ');
  return error instanceof Error ? error.name : typeof error;
}

export class Turn {
  readonly groupId: string;
  readonly #place: Place;
  readonly #stop = new AbortController();
  readonly #growing: Growing;
  /** The message that is being answered, once it is known. */
  #question: Message | undefined;
  #handedOff = false;

  constructor(place: Place, groupId: string) {
    this.#place = place;
    this.groupId = groupId;
    this.#growing = new Growing((text) => this.#show(true, text));
    this.#stop.signal.addEventListener('abort', () => this.#growing.end());
  }

  /** Gives it up: nothing more is said. */
  stop(): void {
    this.#stop.abort(TAKEN);
  }

  /** The seq of the message that is being answered; 0: it is not known yet. */
  get asked(): number {
    return this.#question?.seq ?? 0;
  }

  /** Another instance shows its answer: two would take turns before the customer's eyes. */
  yield(): void {
    this.#growing.end();
  }

  /** @throws where the conversation cannot be read */
  async run(): Promise<void> {
    const facts = await this.#place.reading.facts(this.groupId);
    const question = questionIn(facts);
    if (question === undefined || this.#stop.signal.aborted) return;
    this.#question = question;
    const conversation = this.#conversation(facts, question);
    try {
      await this.#answer(conversation);
    } catch (error) {
      await this.#fail(error);
    }
    if (this.#handedOff) await this.#askContact(conversation);
  }

  async #answer(conversation: Conversation): Promise<void> {
    const { answer, timeLimit } = this.#place.settings;
    const timer = setTimeout(() => this.#stop.abort(LATE), timeLimit);
    this.#growing.set('');
    try {
      const asked = (async (): Promise<Answer> => answer(conversation))();
      const said = await outcomeOf(asked, this.#stop.signal, (text) => this.#growing.set(text));
      clearTimeout(timer);
      this.#growing.end(); // a part that is shown later would stand behind the whole
      // No other field is taken: whatever made the answer does not say who speaks, nor where.
      const { message, content }: Whole = typeof said === 'object' ? said : { message: said ?? '' };
      const shown = content === undefined ? {} : { content };
      if (message !== '') await this.#say('answer', { message: cut(message), replyTo: this.asked, ...shown });
      else if (!this.#handedOff) throw new RangeError('an answer has text, or asks for a person');
    } finally {
      clearTimeout(timer);
      this.#growing.end();
    }
  }

  /** It ends in a hand-off, where it does not end since somebody else has it. */
  async #fail(error: unknown): Promise<void> {
    if (isTaken(error) || this.#stop.signal.reason === TAKEN) return;
    this.#place.settings.log(`bot: ${kindOf(error)}: a person is asked for`);
    await this.#show(false, '');
    await this.#handOff(error === LATE ? 'the bot had no answer in time' : 'the bot failed');
  }

  /** [P-12.8] */
  async #handOff(reason: string | undefined): Promise<void> {
    this.#handedOff = true;
    try {
      await this.#send('handoff', { type: 'HANDOFF', groupId: this.groupId, ...(reason !== undefined && { reason }) });
    } catch (error) {
      if (!isTaken(error)) throw error;
      this.stop();
    }
  }

  async #askContact(conversation: Conversation): Promise<void> {
    const { askContact, log } = this.#place.settings;
    if (askContact === undefined || this.#place.availability().admins || this.#stop.signal.reason === TAKEN) return;
    try {
      const message = typeof askContact === 'string' ? askContact : askContact(conversation);
      await this.#say('contact', { message: cut(message) });
    } catch (error) {
      if (!isTaken(error)) log(`bot: ${kindOf(error)}: nobody was asked for a contact`);
    }
  }

  async #say(kind: 'answer' | 'contact', what: Omit<Saying, 'type' | 'groupId' | 'user'>): Promise<void> {
    await this.#send(kind, { type: 'UPDATE_MSG', groupId: this.groupId, user: 'bot', ...what });
  }

  /** [P-8.4] Sends what is stored once, whoever says it: each instance gives it the same id, which is no other's in any scope. */
  async #send(kind: string, payload: Payload<'server', 'event'>): Promise<void> {
    const group = createHash('sha256').update(this.groupId).digest('hex').slice(0, 32);
    await this.#place.client.send('event', payload, { id: `${kind}-${this.asked}-${group}` });
  }

  /** [P-18.2] Shows that an answer is written, and the answer so far. */
  async #show(typing: boolean, text: string): Promise<void> {
    try {
      const said = text === '' ? {} : { text };
      await this.#place.client.send('event', { type: 'TYPING', groupId: this.groupId, user: 'bot', typing, ...said });
    } catch (error) {
      // While there is no connection, nothing is shown, and the answer waits.
      if (isTaken(error)) this.stop();
    }
  }

  #conversation({ group, events, ...known }: Facts, question: Message): Conversation {
    const { dealerId, groupId } = group;
    const { locale } = known.customer;
    const { signal } = this.#stop;
    return {
      dealerId,
      groupId,
      messages: messagesIn(events),
      question,
      ...known,
      language: typeof locale === 'string' ? locale : undefined,
      availability: this.#place.availability(),
      signal,
      handOff: async (reason) => (signal.aborted ? undefined : this.#handOff(reason)),
    };
  }
}

type Whole = Exclude<Said, string>;
type Saying = Extract<Payload<'server', 'event'>, { type: 'UPDATE_MSG' }>;
