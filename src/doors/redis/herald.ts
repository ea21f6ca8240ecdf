/**
 * [P-19.2] Events in the words of other services, as soon as they are stored here: each once on the channel, and once in each list that it
 * is for, in order, whatever Redis does meanwhile. What these services have said themselves is not said again. A node that is killed
 * takes along what it had not said yet.
 */
import { randomUUID } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import { DELIVERIES } from '../../../schemas/table.ts';
import { senderOf } from '../../auth/session.ts';
import type { Happened } from '../../journal/batch.ts';
import { instant } from '../../protocol/encode.ts';
import type { Core } from '../core.ts';
import type { List, Services, Telling } from '../dialect.ts';
import { sessionOf } from './take.ts';

/** Tellings said at once, and the most that wait for Redis: of more, none is kept. */
const COUNT = 256;
const MAX_WAITING = 20_000;
/** The most texts that a list keeps: one that nobody takes from is not to fill Redis. */
const MAX_LISTED = 100_000;
/** Time between two tries, and for which it is known that something has been said, in ms. */
const RETRY = 500;
const REMEMBERED = 10 * 60_000;

/** Keys: the mark that it is done, and a list; arguments: for how long the mark stays, the most that the list keeps, and the texts. Said twice, it is done once. */
const PUSH = `
  if redis.call('GET', KEYS[1]) then return 0 end
  local listed = 0
  for i = 3, #ARGV do listed = redis.call('RPUSH', KEYS[2], ARGV[i]) end
  if listed > tonumber(ARGV[2]) then redis.call('LTRIM', KEYS[2], -ARGV[2], -1) end
  redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
  return 1`;
/** The same for a channel, which is the second argument. */
const PUBLISH = `
  if redis.call('GET', KEYS[1]) then return 0 end
  for i = 3, #ARGV do redis.call('PUBLISH', ARGV[2], ARGV[i]) end
  redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
  return 1`;

interface Options {
  readonly services: Services;
  readonly prefix: string;
  readonly log: Pick<Core['log'], 'error'>;
}

const LISTS: readonly List[] = ['bot', 'daemon', 'notification'];

export class Herald {
  readonly #options: Options;
  readonly #commands: Redis | Cluster;
  readonly #sender: string;
  readonly #waiting: Telling[] = [];
  #running: Promise<void> | null = null;
  #isOpen = true;
  /** Fault for which other services are not told; null: they are. */
  fault: string | null = null;

  constructor(options: Options, commands: Redis | Cluster) {
    this.#options = options;
    this.#commands = commands;
    this.#sender = senderOf(sessionOf(options.services));
  }

  /** Events were stored, which somebody brought about. */
  take(sender: string, events: readonly Happened[]): void {
    if (sender === this.#sender) return;
    const { services, log } = this.#options;
    for (const { type, payload, stored } of events) {
      if (stored === null) continue;
      const frame = {
        ...{ channel: DELIVERIES[type].channel, payload: JSON.parse(payload), scope: stored.scope },
        ...{ id: stored.id, seq: stored.seq, at: instant(stored.at) },
      };
      const tellings = services.tell(frame);
      if (this.#waiting.length + tellings.length <= MAX_WAITING) this.#waiting.push(...tellings);
      else
        log.error(
          { waiting: this.#waiting.length },
          'an event was not told to other services: too many wait for Redis',
        );
    }
    if (this.#waiting.length > 0) this.#running ??= this.#sayAll();
  }

  /** Takes nothing more. Resolves when what was taken is said, as far as Redis answers. */
  async close(): Promise<void> {
    this.#isOpen = false;
    await this.#running;
    this.#commands.disconnect();
  }

  async #sayAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const some = this.#waiting.slice(0, COUNT);
      if (!(await this.#isSaid(some))) break;
      this.#waiting.splice(0, some.length);
    }
    this.#running = null;
  }

  /** @returns whether it is, by now; false where it ends before it could be */
  async #isSaid(tellings: readonly Telling[]): Promise<boolean> {
    const id = randomUUID();
    for (;;) {
      try {
        await this.#say(tellings, id);
        this.fault = null;
        return true;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.fault = `other services are not told what happens here: ${reason}`;
        if (!this.#isOpen) return false;
        await new Promise((resolve) => setTimeout(resolve, RETRY).unref());
      }
    }
  }

  async #say(tellings: readonly Telling[], id: string): Promise<void> {
    const { services, prefix } = this.#options;
    // On a cluster, a mark is where its list is.
    const markOf = (name: string) => `${prefix}told:${/\{.+?\}/.exec(name)?.[0] ?? `{${name}}`}:${id}`;
    for (const list of LISTS) {
      const name = services.lists[list];
      const texts = tellings.filter(({ lists }) => lists.includes(list)).map(({ text }) => text);
      if (texts.length > 0) await this.#commands.eval(PUSH, 2, markOf(name), name, REMEMBERED, MAX_LISTED, ...texts);
    }
    const { channel } = services;
    const texts = tellings.map(({ text }) => text);
    await this.#commands.eval(PUBLISH, 1, markOf(channel), REMEMBERED, channel, ...texts);
  }
}
