/** Connections to Redis: one that drops, hangs or is half open counts as none, and is made anew. */
import { Cluster, Redis } from 'ioredis';

/** How often each connection is asked whether it lives, and how long it may take to say so, in ms. */
const PING_INTERVAL = 1_000;
const ANSWER_TIMEOUT = 2_000;
/** The longest between two tries to connect, in ms. */
const MAX_RETRY_DELAY = 1_000;

export interface RedisOptions {
  readonly url: string;
  readonly onFault: (fault: unknown, what: string) => void;
}

const retryDelay = (tries: number): number => Math.min(50 * tries, MAX_RETRY_DELAY);

/** Whether a server has refused a write since it is no master: it was demoted, and another is in its place. */
export const isReadOnly = (error: unknown): boolean => error instanceof Error && error.message.startsWith('READONLY');

/** Whether a server has not answered in time. */
export const isTimeout = (error: unknown): boolean => error instanceof Error && error.message === 'Command timed out';

const CONNECTION = {
  connectTimeout: ANSWER_TIMEOUT,
  commandTimeout: ANSWER_TIMEOUT,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  keepAlive: PING_INTERVAL,
  // From the name that was given, which another server may have by now.
  reconnectOnError: isReadOnly,
};

/** Opens a connection that is never given up, and fails what it cannot do now rather than keep it for later. */
export function connectRedis({ url, onFault }: RedisOptions, what: string): Redis {
  const redis = new Redis(url, {
    ...CONNECTION,
    maxRetriesPerRequest: 0,
    retryStrategy: retryDelay,
    connectionName: `telle-${what}`,
  });
  // Without a listener an error would end the process.
  redis.on('error', (error) => onFault(error, `Redis (${what})`));
  return redis;
}

/** The same to a whole cluster, for commands whose keys are anywhere in it. */
export function connectCluster({ url, onFault }: RedisOptions, what: string): Cluster {
  const { username, password, protocol } = new URL(url);
  const cluster = new Cluster([url], {
    clusterRetryStrategy: retryDelay,
    enableOfflineQueue: false,
    redisOptions: {
      ...CONNECTION,
      ...(username !== '' && { username: decodeURIComponent(username) }),
      ...(password !== '' && { password: decodeURIComponent(password) }),
      ...(protocol === 'rediss:' && { tls: {} }),
    },
  });
  cluster.on('error', (error) => onFault(error, `Redis (${what})`));
  return cluster;
}

/** Asks a connection at an interval whether it lives, and has it connect anew when it does not say so in time. */
export function keepAlive(redis: Redis | Cluster): () => void {
  const timer = setInterval(() => {
    if (redis.status === 'ready') redis.ping().catch(() => redis.disconnect(true));
  }, PING_INTERVAL);
  return () => clearInterval(timer);
}

/** Whether a server is one of a cluster. One that does not answer in time counts as a server of its own. */
export async function isCluster(options: RedisOptions): Promise<boolean> {
  const redis = connectRedis(options, 'probe');
  try {
    await new Promise<void>((resolve, reject) => {
      redis.once('ready', resolve);
      setTimeout(() => reject(new Error('Redis does not answer')), ANSWER_TIMEOUT).unref();
    });
    return /^cluster_enabled:1/m.test(await redis.info('cluster'));
  } catch (fault) {
    options.onFault(fault, 'it is not known whether Redis is a cluster: it is taken for one server');
    return false;
  } finally {
    redis.disconnect();
  }
}
