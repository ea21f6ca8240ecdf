/** A bot: it finds the conversations that wait for one, and takes so many of them at a time. */
import type { Event } from '../../schemas/delivered.ts';
import { connect } from '../client/index.ts';
import type { Client } from '../client/types.ts';
import { meaningOf } from './hearing.ts';
import { ReadError, Reading } from './reading.ts';
import type { BotSettings } from './settings.ts';
import { type Place, Turn } from './turn.ts';
import type { Availability } from './types.ts';

/** Time until something is read again that could not be read, in milliseconds. */
const RETRY_MS = 1000;

export class Bot {
  readonly #settings: BotSettings;
  readonly #client: Client<'server'>;
  readonly #reading: Reading;
  readonly #place: Place;
  #availability: Availability = { open: true, admins: false };
  /** The conversations whose turn is to come, in order. */
  readonly #waiting = new Set<string>();
  readonly #turns = new Map<string, Turn>();
  /** Timers of what is tried again. */
  readonly #retries = new Set<ReturnType<typeof setTimeout>>();
  #isClosed = false;

  constructor(settings: BotSettings) {
    const { url, dealerId, token, backoff, timeout, WebSocket } = settings;
    let latest: string | undefined;
    const fetched = async () => {
      latest = typeof token === 'string' ? token : await token();
      return latest;
    };
    const given = { ...(backoff && { backoff }), ...(timeout && { timeout }), ...(WebSocket && { WebSocket }) };
    this.#settings = settings;
    this.#client = connect({ url, dealerId, role: 'server', token: fetched, ...given });
    this.#reading = new Reading(url, dealerId, () => latest ?? fetched());
    this.#place = {
      settings,
      client: this.#client,
      reading: this.#reading,
      availability: () => this.#availability,
    };
    this.#listen();
  }

  close(): void {
    this.#end();
    this.#client.close();
  }

  #end(): void {
    this.#isClosed = true;
    this.#waiting.clear();
    for (const timer of this.#retries) clearTimeout(timer);
    for (const turn of this.#turns.values()) turn.stop();
  }

  #listen(): void {
    const client = this.#client;
    client.on('session', ({ availability }) => {
      this.#availability = availability ?? this.#availability;
      void this.#find();
    });
    client.on('DEALER_STATE', ({ open, admins, changesAt }) => {
      this.#availability = { open, admins, ...(changesAt !== undefined && { changesAt }) };
    });
    const hear = (event: Event) => this.#hear(event);
    client.on('CHAT_MESSAGE', hear);
    client.on('MUTE_STATE', hear);
    client.on('CHAT_STATE', hear);
    client.on('CLOSE_CHAT', hear);
    client.on('TYPING_STATE', ({ groupId, user, text }) => {
      if (user === 'bot' && text !== undefined) this.#turns.get(groupId)?.yield();
    });
    client.on('closed', ({ code, reason }) => {
      if (this.#isClosed) return;
      this.#settings.log(`bot: the server has closed the connection for good: ${code} ${reason}`);
      this.#end();
    });
  }

  #hear(event: Event): void {
    if (!('groupId' in event) || event.groupId === undefined) return;
    const { groupId } = event;
    const turn = this.#turns.get(groupId);
    const meaning = meaningOf(event, turn?.asked ?? 0);
    if (meaning?.stops) turn?.stop();
    if (meaning?.waits) this.#take(groupId);
  }

  /** Looks for what waits: at the start, and after each time that there was no connection. */
  async #find(): Promise<void> {
    try {
      for await (const groupId of this.#reading.waiting()) this.#take(groupId);
    } catch (error) {
      this.#again(error, () => void this.#find());
    }
  }

  /** A conversation may wait: whether it does is seen when its turn comes. */
  #take(groupId: string): void {
    if (this.#isClosed) return;
    this.#waiting.add(groupId);
    this.#next();
  }

  #next(): void {
    for (const groupId of this.#waiting) {
      if (this.#turns.size >= this.#settings.concurrency) return;
      if (this.#turns.has(groupId)) continue;
      this.#waiting.delete(groupId);
      void this.#run(groupId);
    }
  }

  async #run(groupId: string): Promise<void> {
    const turn = new Turn(this.#place, groupId);
    this.#turns.set(groupId, turn);
    try {
      await turn.run();
    } catch (error) {
      this.#again(error, () => this.#take(groupId));
    }
    this.#turns.delete(groupId);
    this.#next();
  }

  /** Tries something again, where what was wrong passes by itself. */
  #again(error: unknown, retry: () => void): void {
    if (this.#isClosed) return;
    const isPassing = !(error instanceof ReadError) || error.isPassing;
    const why = error instanceof ReadError ? error.message : 'the server does not answer';
    // A conversation that was erased meanwhile is no fault.
    if (!(error instanceof ReadError && error.status === 404)) this.#settings.log(`bot: ${why}`);
    if (!isPassing) return;
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      retry();
    }, RETRY_MS);
    this.#retries.add(timer);
  }
}
