/** A real Redis for a test run: its own, on a free port, in a temp folder. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { runChild } from './child.ts';
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

const run = (command: string, args: string[], cwd?: string): boolean => {
  try {
    execFileSync(command, args, { stdio: 'ignore', ...(cwd && { cwd }) });
    return true;
  } catch {
    return false;
  }
};

const onPath = (): boolean => run('sh', ['-c', 'command -v redis-server']);

/** Where a Redis that was unpacked without being installed is kept between runs. */
const UNPACKED = join(tmpdir(), 'telle-redis-binary');

/** The ways to a `redis-server`, in the order in which they are tried. */
const WAYS: readonly (() => Promise<string | null>)[] = [
  async () => (onPath() ? 'redis-server' : null),
  async () => {
    const isRoot = process.getuid?.() === 0;
    if (!isRoot || !run('sh', ['-c', 'command -v apt-get'])) return null;
    run('apt-get', ['update', '-qq']);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'redis-server']);
    return onPath() ? 'redis-server' : null;
  },
  async () => {
    const binary = join(UNPACKED, 'usr', 'bin', 'redis-server');
    if (existsSync(binary)) return binary;
    await mkdir(UNPACKED, { recursive: true });
    // `redis-server` is a link to a binary of `redis-tools`; what it links to is not on every machine.
    run('apt-get', ['download', 'redis-server', 'redis-tools', 'liblzf1', 'libjemalloc2', 'libatomic1'], UNPACKED);
    for (const name of await readdir(UNPACKED)) if (name.endsWith('.deb')) run('dpkg', ['-x', name, '.'], UNPACKED);
    return existsSync(binary) ? binary : null;
  },
  async () => (run('brew', ['install', 'redis']) && onPath() ? 'redis-server' : null),
];

async function binary(): Promise<string> {
  for (const way of WAYS) {
    const found = await way();
    if (found) return found;
  }
  throw new Error(
    'no redis-server: install Redis (apt-get install redis-server, brew install redis), or set REDIS_URL',
  );
}

/** Where the libraries of an unpacked Redis are, beside the machine's own. */
const LIBRARIES = ['usr/lib/x86_64-linux-gnu', 'usr/lib/aarch64-linux-gnu']
  .map((path) => join(UNPACKED, path))
  .join(':');

/** @param more further arguments of `redis-server` */
export async function startRedis(more: readonly string[] = []): Promise<RedisServer> {
  const program = await binary();
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
  const env = { ...process.env, LD_LIBRARY_PATH: LIBRARIES };
  const start = () => spawn(program, args, { stdio: 'ignore', env });
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
