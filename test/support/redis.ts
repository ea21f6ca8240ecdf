/** A real Redis for a test run: its own, on a free port, in a temp folder. */
import { spawn } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { runChild } from './child.ts';
import { programOf } from './debian.ts';
import { freePort } from './port.ts';

export interface RedisServer {
  /** `redis://…` */
  readonly url: string;
  /** Stops it at once. */
  halt(): Promise<void>;
  /** Starts it again, on the same port, with what its append-only file holds. */
  resume(): Promise<void>;
  /** Freezes it: it holds its connections and answers nothing, until `resume`. */
  freeze(): void;
  thaw(): void;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
}

/** `redis-server` is a link to a binary of `redis-tools`. */
const REDIS = { binary: 'usr/bin/redis-server', packages: ['redis-server', 'redis-tools'], formula: 'redis' } as const;

/** @param more further arguments of `redis-server` */
export async function startRedis(more: readonly string[] = []): Promise<RedisServer> {
  const { path, env } = programOf(REDIS);
  const folder = await mkdtemp(join(tmpdir(), 'telle-redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--appendonly',
    'yes',
    '--save',
    '',
    ...more,
  ];
  const start = () => spawn(path, args, { stdio: 'ignore', env });
  const child = await runChild({ start, signal: 'SIGKILL', answering: () => answering(url), folder });
  return {
    url,
    halt: child.halt,
    resume: child.resume,
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    stop: child.stop,
  };
}

/** Resolves when the server answers. */
async function answering(url: string): Promise<void> {
  const client = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  client.on('error', () => {});
  await client.ping();
  client.disconnect();
}

/** Has one server follow another, or nobody. */
export async function replicate(server: RedisServer, master: RedisServer | null): Promise<void> {
  const client = new Redis(server.url);
  try {
    if (master === null) await client.replicaof('NO', 'ONE');
    else {
      await client.replicaof('127.0.0.1', Number(new URL(master.url).port));
      const deadline = Date.now() + 20_000;
      while (!(await client.info('replication')).includes('master_link_status:up'))
        if (Date.now() > deadline) throw new Error('it does not follow the master');
    }
  } finally {
    client.disconnect();
  }
}

/** A Sentinel that watches a master under a name, alone, and has it replaced a second after it is down. */
export async function startSentinel(master: RedisServer, name: string): Promise<RedisServer> {
  const { path, env } = programOf(REDIS);
  const folder = await mkdtemp(join(tmpdir(), 'telle-sentinel-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const file = join(folder, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `sentinel monitor ${name} 127.0.0.1 ${new URL(master.url).port} 1`,
    `sentinel down-after-milliseconds ${name} 1000`,
    `sentinel failover-timeout ${name} 5000`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const start = () => spawn(path, [file, '--sentinel'], { stdio: 'ignore', env });
  const child = await runChild({ start, signal: 'SIGKILL', answering: () => answering(url), folder });
  return {
    url,
    halt: child.halt,
    resume: child.resume,
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    stop: child.stop,
  };
}

/** Three masters of a cluster, each with a third of the slots; behind them, where so many are asked for, their replicas. */
export async function startRedisCluster(replicas: 0 | 3 = 0): Promise<RedisServer[]> {
  const ports = await Promise.all(Array.from({ length: 3 + replicas }, freePort));
  const servers = await Promise.all(
    ports.map((port) =>
      startRedis(['--cluster-enabled', 'yes', '--cluster-port', String(port), '--repl-diskless-sync-delay', '0']),
    ),
  );
  const clients = servers.map(({ url }) => new Redis(url));
  const [first] = clients;
  for (const [index, client] of clients.entries()) {
    if (index < 3) {
      const [from, to] = [Math.ceil((index * 16_384) / 3), Math.ceil(((index + 1) * 16_384) / 3) - 1];
      await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    }
    const { port } = new URL(servers[index]?.url ?? '');
    await first?.call('CLUSTER', 'MEET', '127.0.0.1', port, String(ports[index]));
  }
  const known = new RegExp(`cluster_state:ok[\\s\\S]*cluster_known_nodes:${servers.length}`);
  const deadline = Date.now() + 20_000;
  const until = async (what: string, holds: () => Promise<boolean>) => {
    while (!(await holds())) {
      if (Date.now() > deadline) throw new Error(what);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  for (const client of clients)
    await until('the cluster does not come together', async () => known.test(await client.cluster('INFO')));
  for (const [index, replica] of clients.slice(3).entries()) {
    await replica.call('CLUSTER', 'REPLICATE', await idOf(clients[index]));
    await until('a replica does not follow', async () =>
      (await replica.info('replication')).includes('master_link_status:up'),
    );
  }
  for (const client of clients) client.disconnect();
  return servers;
}

/**
 * Makes a replica the master of its shard. Redis promises only to try: it gives an attempt up after five seconds, and refuses
 * one while the replica has lost its master; so it is asked again.
 */
export async function failOver(replica: RedisServer | undefined): Promise<void> {
  const client = new Redis(replica?.url ?? '');
  const deadline = Date.now() + 60_000;
  try {
    for (let asked = 0; !(await client.info('replication')).includes('role:master'); ) {
      if (Date.now() > deadline) throw new Error('the replica does not take over');
      if (Date.now() - asked > 6_000) {
        asked = Date.now();
        await client.call('CLUSTER', 'FAILOVER').catch(() => (asked = 0));
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  } finally {
    client.disconnect();
  }
}

/** A server's name in its cluster. */
export const idOf = async (client: Redis | undefined): Promise<string> => String(await client?.call('CLUSTER', 'MYID'));
