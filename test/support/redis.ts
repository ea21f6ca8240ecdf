/** A real Redis for a test run: its own, on a free port, in a temp folder. */
import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
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

/** Three masters of a cluster, each with a third of the slots. */
export async function startRedisCluster(): Promise<RedisServer[]> {
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  const servers = await Promise.all(
    ports.map((port) => startRedis(['--cluster-enabled', 'yes', '--cluster-port', String(port)])),
  );
  const clients = servers.map(({ url }) => new Redis(url));
  const [first] = clients;
  for (const [index, client] of clients.entries()) {
    const [from, to] = [Math.ceil((index * 16_384) / 3), Math.ceil(((index + 1) * 16_384) / 3) - 1];
    await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    const { port } = new URL(servers[index]?.url ?? '');
    await first?.call('CLUSTER', 'MEET', '127.0.0.1', port, String(ports[index]));
  }
  const deadline = Date.now() + 20_000;
  for (const client of clients) {
    while (!/cluster_state:ok[\s\S]*cluster_known_nodes:3/.test(await client.cluster('INFO'))) {
      if (Date.now() > deadline) throw new Error('the cluster does not come together');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    client.disconnect();
  }
  return servers;
}
