/**
 * Stand-in of the services of 2019, as far as Redis knows them: who carries the pages and the desks, the bot, the daemon, and what tells of
 * leads. Each says and takes what the real one does.
 */
import { Redis } from 'ioredis';
import { Inbox } from './until.ts';

export interface Names {
  readonly channel: string;
  readonly bot: string;
  readonly daemon: string;
  readonly notification: string;
}

/** A payload, as text that was said. */
export type Said = Record<string, unknown>;

const stamp = (): string => `${new Date().toISOString().slice(0, 23).replace('T', ' ')}000`;
/** Seconds that a list is waited for at a time. */
const WAIT = 1;

export class OldServices {
  readonly redis: Redis;
  readonly #names: Names;
  readonly #subscriber: Redis;
  readonly #takers: Redis[] = [];
  /** All that was published on the channel. */
  readonly heard = new Inbox<Said>();
  /** Messages that the bot, the daemon and the notifications have taken from their lists. */
  readonly taken = { bot: new Inbox<Said>(), daemon: new Inbox<Said>(), notification: new Inbox<Said>() };
  #isOpen = true;

  constructor(url: string, names: Names) {
    this.#names = names;
    this.redis = new Redis(url);
    this.#subscriber = new Redis(url, { autoResubscribe: false });
    for (const redis of [this.redis, this.#subscriber]) redis.on('error', () => {});
    this.#subscriber.on('message', (_, text) => this.#hear(text));
  }

  /** What is no payload, they print and forget. */
  #hear(text: string): void {
    try {
      this.heard.put(JSON.parse(text));
    } catch {
      this.heard.put({ text });
    }
  }

  /** @param answer what the bot answers, by the text of a customer; null: nothing */
  async start(answer: (text: string) => object[] | null = () => null): Promise<void> {
    await this.#subscriber.subscribe(this.#names.channel);
    this.#take('bot', (said) => this.#answer(said, answer));
    this.#take('daemon', async () => {});
    this.#take('notification', async () => {});
  }

  #take(list: keyof OldServices['taken'], act: (said: Said) => Promise<void>): void {
    const taker = this.redis.duplicate();
    taker.on('error', () => {});
    this.#takers.push(taker);
    const loop = async () => {
      while (this.#isOpen) {
        const packed = await taker.blpop(this.#names[list], WAIT).catch(() => null);
        if (packed === null) continue;
        const said: Said = JSON.parse(packed[1]);
        await act(said);
        this.taken[list].put(said);
      }
    };
    void loop();
  }

  /** The bot: it answers a customer who is not muted. */
  async #answer(said: Said, answer: (text: string) => object[] | null): Promise<void> {
    const { type, user, muted, dealerId, groupId } = said;
    if (type !== 'UPDATE_MSG' || user !== 'customer' || muted !== false) return;
    const message = answer(Object(Object(said.message).data).text);
    if (message === null) return;
    const text = JSON.stringify({ type, dealerId, groupId, user: 'bot', muted, unread: 1, message });
    await this.redis.rpush(this.#names.daemon, text);
    await this.redis.publish(this.#names.channel, text);
  }

  /** Somebody publishes a payload, or what is none. */
  publish(payload: object | string): Promise<number> {
    return this.redis.publish(this.#names.channel, typeof payload === 'string' ? payload : JSON.stringify(payload));
  }

  /** A page joins there. */
  async joins(dealerId: string, groupId: string): Promise<void> {
    const here = { dealerId, groupId, user: 'customer', online: true, timestamp: stamp() };
    for (const type of ['UPDATE_GROUP', 'UPDATE_CHAT']) {
      const text = JSON.stringify({ type, ...here });
      await this.redis.publish(this.#names.channel, text);
      await this.redis.rpush(this.#names.daemon, text);
    }
  }

  /** A page there says something. */
  async says(payload: object): Promise<void> {
    const text = JSON.stringify({ ...payload, timestamp: stamp() });
    await this.redis.publish(this.#names.channel, text);
    await this.redis.rpush(this.#names.bot, text);
    await this.redis.rpush(this.#names.daemon, text);
  }

  /** A desk there says something. */
  async desk(payload: object): Promise<void> {
    const text = JSON.stringify(payload);
    await this.redis.publish(this.#names.channel, text);
    await this.redis.rpush(this.#names.daemon, text);
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    for (const redis of [this.#subscriber, this.redis, ...this.#takers]) redis.disconnect();
  }
}
