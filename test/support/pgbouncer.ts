/** A real PgBouncer for a test run, before a Postgres: each transaction of whoever comes by it may be in another session. */
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChild } from './child.ts';
import { programOf } from './debian.ts';
import { freePort } from './port.ts';
import { answering } from './postgres.ts';

const PGBOUNCER = { binary: 'usr/sbin/pgbouncer', packages: ['pgbouncer'], formula: 'pgbouncer' } as const;
/** It refuses to run as root. */
const NOBODY = 65_534;

export interface Bouncer {
  /** The URL of a database, by way of it. */
  by(url: string): string;
  stop(): Promise<void>;
}

/** @param sessions how many it has open to each database */
export async function startPgbouncer(server: string, sessions: number): Promise<Bouncer> {
  const { path, env } = programOf(PGBOUNCER);
  const { hostname, port, username } = new URL(server);
  const folder = await mkdtemp(join(tmpdir(), 'telle-pgbouncer-'));
  const own = await freePort();
  const file = join(folder, 'pgbouncer.ini');
  const lines = [
    '[databases]',
    `* = host=${hostname} port=${port} user=${username}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${own}`,
    'unix_socket_dir =',
    'auth_type = any',
    'pool_mode = transaction',
    `default_pool_size = ${sessions}`,
    'max_client_conn = 500',
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  await chmod(folder, 0o755);
  const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const by = (url: string) => Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(own) }).href;
  const start = () => spawn(path, ['-q', file], { ...user, env, stdio: 'ignore' });
  const child = await runChild({ start, signal: 'SIGKILL', answering: () => answering(by(server)), folder });
  return { by, stop: child.stop };
}
