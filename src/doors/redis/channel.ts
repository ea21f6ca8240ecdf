/**
 * [P-10] `telle:events`, and a dialect's channel [P-19.2]: other servers PUBLISH bare payloads, as in the seeds. Every node hears each, and one takes it: each
 * counts in Redis how often it has heard that very text, and who is first to count one more than has been taken takes it.
 * A node that hears a text for the first time, long after it was last taken, counts on from there.
 * A node that dies between taking and storing takes the event with it: pub/sub promises no more [P-8.6].
 */
import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import { inTurns } from '../../commands/turns.ts';
import type { Core } from '../core.ts';
import { type Burying, takeOrBury, WAYS, type Way } from './take.ts';

/** For how long hearings of one text are counted together, in ms: longer than any node lags behind another. */
const WINDOW = 60_000;
/** A text that was taken longer ago than this, in ms, is not the one that a node hears now: no node lags so far. */
const LAG = 5_000;
/** Number of tries for an event while the database is away, and the time between them, in ms. */
const TRIES = 30;
const RETRY = 1_000;
/** Events taken at once. */
const COUNT = 256;
/** The most events that wait for the database; more are dropped, and told in the log. */
const MAX_WAITING = 10_000;

/** Keys: the text's; arguments: this node, the window, the lag. Answers 1 to who takes it. */
const HEAR = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local taken = tonumber(redis.call('HGET', KEYS[1], 'taken') or '0')
  local takenAt = tonumber(redis.call('HGET', KEYS[1], 'takenAt') or '0')
  local heard = tonumber(redis.call('HGET', KEYS[1], 'heard:' .. ARGV[1]))
  if not heard then heard = now - takenAt > tonumber(ARGV[3]) and taken or 0 end
  heard = heard + 1
  redis.call('HSET', KEYS[1], 'heard:' .. ARGV[1], heard)
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  if heard <= taken then return 0 end
  redis.call('HSET', KEYS[1], 'taken', heard, 'takenAt', now)
  return 1`;

type Parts = Burying & Pick<Core, 'nodeId'>;

export class ChannelDoor {
  readonly #parts: Parts;
  readonly #commands: Redis | Cluster;
  readonly #way: Way;
  /** Events that were heard, and those of them that are this node's to take, in order. */
  #heard: string[] = [];
  readonly #mine: string[] = [];
  /** Number that were heard and are not done with. */
  #waiting = 0;
  #counting: Promise<void> | null = null;
  #taking: Promise<void> | null = null;
  #isOpen = true;

  constructor(parts: Parts, commands: Redis | Cluster, way: Way = WAYS.events) {
    this.#parts = parts;
    this.#way = way;
    this.#commands = commands;
  }

  /** Once nothing more is heard: resolves when what was is stored, as far as it can be at once. */
  async close(): Promise<void> {
    this.#isOpen = false;
    await this.#counting;
    await this.#taking;
  }

  hear(text: string): void {
    if (this.#waiting >= MAX_WAITING) {
      const { log } = this.#parts;
      log.error({ waiting: this.#waiting }, 'an event from Redis was dropped: too many wait for the database');
      return;
    }
    this.#waiting += 1;
    this.#heard.push(text);
    this.#counting ??= this.#count();
  }

  /** Never waits for the database: what is counted late may be taken for another. */
  async #count(): Promise<void> {
    while (this.#heard.length > 0) {
      const texts = this.#heard;
      this.#heard = [];
      const areMine = await Promise.all(await inTurns(texts, (text) => this.#isMine(text)));
      const mine = texts.filter((_, index) => areMine[index]);
      this.#waiting -= texts.length - mine.length;
      this.#mine.push(...mine);
      if (mine.length > 0) this.#taking ??= this.#takeAll();
    }
    this.#counting = null;
  }

  async #isMine(text: string): Promise<boolean> {
    const { nodeId, settings, log } = this.#parts;
    const { source } = this.#way;
    // The same text by another way is another event.
    const heard = source === 'events' ? text : `${source}:${text}`;
    const key = `${settings.REDIS_PREFIX}heard:${createHash('sha1').update(heard).digest('hex')}`;
    try {
      return (await this.#commands.eval(HEAR, 1, key, nodeId, WINDOW, LAG)) === 1;
    } catch (error) {
      log.error({ err: error }, 'an event from Redis was lost');
      return false;
    }
  }

  async #takeAll(): Promise<void> {
    while (this.#mine.length > 0) {
      const texts = this.#mine.splice(0, COUNT);
      await this.#take(texts);
      this.#waiting -= texts.length;
    }
    this.#taking = null;
  }

  async #take(texts: readonly string[]): Promise<void> {
    let left = texts;
    for (let attempt = 1; ; attempt += 1) {
      const isDone = await takeOrBury(this.#parts, this.#way, left);
      left = left.filter((_, index) => !isDone[index]);
      if (left.length === 0) return;
      if (attempt === TRIES || !this.#isOpen) break;
      await new Promise((resolve) => setTimeout(resolve, RETRY).unref());
    }
    this.#parts.log.error({ count: left.length }, 'events from Redis were lost: the database did not answer');
  }
}
