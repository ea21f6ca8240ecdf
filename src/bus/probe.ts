/** Probe of a server before it is relied on: one Redis, one of a cluster, or none at all, which no waiting mends. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Redis } from 'ioredis';
import { connectRedis, type RedisOptions } from './connection.ts';

/** Time that a server may take to say what it is, in ms. */
const PATIENCE = 2_000;
/** Request that asks a Postgres whether it speaks TLS: it answers a letter, and nothing else does. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** Says that what `REDIS_URL` names is no Redis that could be used. */
export class NoRedisError extends Error {}

const WAY_OUT =
  'name a Redis, redis://<host>:<port>, or Sentinels, redis+sentinel://<host>:<port>,<host>:<port>/<name of the master>';

/** Faults of a server, by its answer. */
const FAULTS: readonly (readonly [said: RegExp, is: string])[] = [
  [/redis_mode:sentinel/, "is a Sentinel's address, which is no Redis"],
  [/Last error: ERR No such master/, 'names a master that the Sentinels do not know'],
  [/^All sentinels are unreachable.*Last error: ERR unknown command/, 'names a Redis where a Sentinel must be'],
  [/^Unknown RESP type/, 'leads to a server that is no Redis'],
];

/**
 * Asks a server whether it is one of a cluster. One that does not answer in time counts as a server of its own.
 * @throws NoRedisError where it is no Redis
 */
export async function isCluster(options: RedisOptions): Promise<boolean> {
  const faults: unknown[] = [];
  const redis = connectRedis({ url: options.url, onFault: (fault) => faults.push(fault) }, 'probe');
  try {
    const said = await informationOf(redis);
    refuse(said);
    return /redis_mode:cluster/.test(said);
  } catch (fault) {
    if (fault instanceof NoRedisError) throw fault;
    for (const each of [fault, ...faults]) refuse(messageOf(each));
    if (await isPostgres(options.url)) throw new NoRedisError(`REDIS_URL leads to a Postgres: ${WAY_OUT}`);
    options.onFault(fault, 'it is not known whether Redis is a cluster: it is taken for one server');
    return false;
  } finally {
    redis.disconnect();
  }
}

const messageOf = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault));

/** @throws NoRedisError where that is what no Redis would say */
function refuse(said: string): void {
  const [, is] = FAULTS.find(([pattern]) => pattern.test(said)) ?? [];
  if (is !== undefined) throw new NoRedisError(`REDIS_URL ${is}: ${WAY_OUT}`);
}

async function informationOf(redis: Redis): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('Redis does not answer')), PATIENCE);
    redis.once('ready', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  return redis.info('server');
}

async function isPostgres(url: string): Promise<boolean> {
  if (!url.startsWith('redis:')) return false;
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) });
  try {
    socket.write(SSL_REQUEST);
    const [answer]: Buffer[] = await once(socket, 'data', { signal: AbortSignal.timeout(PATIENCE) });
    return /^[SNE]$/.test(String(answer));
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
