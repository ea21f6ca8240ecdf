/** Check of other services on Redis: what they say while it listens, who listens, and what waits in their lists. */
import type { Redis } from 'ioredis';
import type { Settings } from '../../schemas/settings.ts';
import { clientOf } from '../bus/connection.ts';
import { servicesOf } from '../dialects/telle2019/dialect.ts';
import { isJsonObject } from '../protocol/checker.ts';
import { type Finding, fault, ok, warning } from './finding.ts';
import { reasonOf } from './reason.ts';

/** Time for which it listens, in ms. */
const LISTENING = 3_000;
/** Number of texts in a list that nobody seems to take from. */
const MANY = 1_000;

/** Counts by what was heard: the channel, whose it is, and its type. */
type Heard = Map<string, Map<string, number>>;

export async function checkDialect(settings: Settings): Promise<Finding[]> {
  const { DIALECT, REDIS_URL: url } = settings;
  if (DIALECT === 'none') return [];
  if (url === undefined)
    return [warning(`${DIALECT} is spoken over Socket.IO alone`, 'REDIS_URL: that of its services')];
  const options = { lazyConnect: true, retryStrategy: () => null, connectTimeout: 3_000 };
  const [redis, subscriber] = [clientOf(url, options), clientOf(url, options)];
  for (const each of [redis, subscriber]) each.on('error', () => {});
  try {
    await Promise.all([redis.connect(), subscriber.connect()]);
    return await look(settings, redis, subscriber);
  } catch (error) {
    return [fault(`Redis does not say what is heard: ${reasonOf(error)}`, 'see redis, above')];
  } finally {
    redis.disconnect();
    subscriber.disconnect();
  }
}

async function look(settings: Settings, redis: Redis, subscriber: Redis): Promise<Finding[]> {
  const { channel, lists } = servicesOf(settings);
  const channels = [channel, `${settings.REDIS_PREFIX}events`];
  const heard = await listen(settings, subscriber, channels);
  const findings: Finding[] = [];
  for (const name of channels) {
    findings.push(ok(`${name}: ${wordsOf(heard.get(name))}`));
    const [, listening] = await redis.pubsub('NUMSUB', name);
    // This one listens, too.
    if (Number(listening) <= 1)
      findings.push(warning(`${name}: nobody listens`, 'is it the Redis of all of them, and does Telle run?'));
  }
  for (const list of Object.values(lists)) {
    const waiting = await redis.llen(list);
    const found = `${list}: ${waiting} wait${waiting === 1 ? 's' : ''}`;
    findings.push(waiting < MANY ? ok(found) : warning(found, 'does the service run that takes from it?'));
  }
  return findings;
}

const wordsOf = (counts: ReadonlyMap<string, number> = new Map()): string =>
  counts.size === 0
    ? `nothing in ${LISTENING / 1000} s`
    : `heard ${[...counts].map(([what, count]) => `${count} ${what}`).join(', ')} in ${LISTENING / 1000} s`;

async function listen(settings: Settings, subscriber: Redis, channels: readonly string[]): Promise<Heard> {
  const heard: Heard = new Map(channels.map((channel) => [channel, new Map()]));
  subscriber.on('message', (channel, text) => {
    const counts = heard.get(channel);
    const what = whatIs(settings, text);
    counts?.set(what, (counts.get(what) ?? 0) + 1);
  });
  await subscriber.subscribe(...channels);
  await new Promise((resolve) => setTimeout(resolve, LISTENING));
  return heard;
}

/** Type of a text's event, and whose it is: nothing else of it is told. */
function whatIs(settings: Settings, text: string): string {
  try {
    const payload: unknown = JSON.parse(text);
    if (!isJsonObject(payload)) return 'that are no events';
    const type = /^[A-Z_]{1,32}$/.exec(String(payload.type))?.[0] ?? 'of an unknown type';
    return `${type} ${servicesOf(settings).isOwn(payload) ? 'of Telle' : 'of others'}`;
  } catch {
    return 'that are no events';
  }
}
