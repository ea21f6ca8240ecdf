/** Connections to Redis: one that drops, hangs or is half open counts as none, and is made anew. */
import { type RedisOptions as ClientOptions, Cluster, Redis } from 'ioredis';
import { takenApart } from '../../schemas/urls.ts';

/** Interval at which each connection is asked whether it lives, and time that it may take to answer, in ms. */
const PING_INTERVAL = 1_000;
const ANSWER_TIMEOUT = 2_000;
/** The longest between two tries to connect, in ms. */
const MAX_RETRY_DELAY = 1_000;

export interface RedisOptions {
  readonly url: string;
  readonly onFault: (fault: unknown, what: string) => void;
}

const retryDelay = (tries: number): number => Math.min(50 * tries, MAX_RETRY_DELAY);

/** Tells whether a server has refused a write because it is no master: it was demoted, and another is in its place. */
export const isReadOnly = (error: unknown): boolean => error instanceof Error && error.message.startsWith('READONLY');

/** Tells whether a server has not answered in time. */
export const isTimeout = (error: unknown): boolean => error instanceof Error && error.message === 'Command timed out';

const SENTINEL_PORT = 26_379;

/** Makes a client of a server, or of the master that Sentinels tell, which are asked anew for each connection. */
export function clientOf(url: string, options: ClientOptions & { replyMapping?: 'legacy' }): Redis {
  const parts = takenApart(url);
  if (parts?.scheme !== 'redis+sentinel') return new Redis(url, options);
  const { user, password, hosts, path } = parts;
  const [name = '', db = '0'] = path.split('/');
  return new Redis({
    ...options,
    sentinels: hosts.map((host) => ({ host: host.name, port: host.port ?? SENTINEL_PORT })),
    name,
    db: Number(db),
    ...(user && { username: user }),
    ...(password && { password }),
    sentinelCommandTimeout: ANSWER_TIMEOUT,
    ...(options.retryStrategy && { sentinelRetryStrategy: options.retryStrategy }),
  });
}

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
  const redis = clientOf(url, {
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
