/**
 * [P-10] `telle:events`: other servers PUBLISH bare payloads, as in the seeds. Every node hears each, and one takes it: each
 * counts in Redis how often it has heard that very text, and who is first to count one more than has been taken takes it.
 * A node that hears a text for the first time, long after it was last taken, counts on from there.
 * A node that dies between taking and storing takes the event with it: pub/sub promises no more [P-8.6].
 */
import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import type { Core } from '../core.ts';
import { takeOrBury } from './take.ts';

/** For how long hearings of one text are counted together, in ms: longer than any node lags behind another. */
const WINDOW = 60_000;
/** A text that was taken longer ago than this, in ms, is not the one that a node hears now: no node lags so far. */
const LAG = 5_000;
/** How often an event is tried while the database is away, and how long between, in ms. */
const TRIES = 30;
const RETRY = 1_000;
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

interface Connections {
  /** Does nothing but listen. */
  readonly subscriber: Redis;
  readonly commands: Redis | Cluster;
}

/** Listens from now on, over every reconnection. */
export function openChannelDoor(core: Core, { subscriber, commands }: Connections): void {
  const { REDIS_PREFIX: prefix } = core.settings;
  const channel = `${prefix}events`;
  let waiting = 0;

  const isMine = async (text: string): Promise<boolean> => {
    const key = `${prefix}heard:${createHash('sha1').update(text).digest('hex')}`;
    return (await commands.eval(HEAR, 1, key, core.nodeId, WINDOW, LAG)) === 1;
  };

  const take = async (text: string): Promise<void> => {
    if (!(await isMine(text))) return;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await takeOrBury(core, 'events', text);
      } catch (error) {
        if (attempt === TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY).unref());
      }
    }
  };

  subscriber.on('ready', () => {
    subscriber.subscribe(channel).catch(() => subscriber.disconnect(true));
  });
  subscriber.on('message', (_, text) => {
    if (waiting >= MAX_WAITING) {
      core.log.error({ waiting }, 'an event from Redis was dropped: too many wait for the database');
      return;
    }
    waiting += 1;
    take(text)
      .catch((error: unknown) => core.log.error({ err: error }, 'an event from Redis was lost'))
      .finally(() => {
        waiting -= 1;
      });
  });
}
