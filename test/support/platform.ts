/** Servers that share a Redis, and where there are several a database, each with an admin on it; and another server beside. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Client } from './client.ts';
import type { Frame } from './frame.ts';
import { Outside } from './outside.ts';
import { makeDatabase } from './postgres.ts';
import type { RedisServer } from './redis.ts';
import { startServer, type TestServer } from './server.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

export interface Platform {
  /** The first of the servers, and its admin. */
  readonly server: TestServer;
  readonly witness: Client;
  readonly servers: readonly TestServer[];
  readonly witnesses: readonly Client[];
  readonly outside: Outside;
}

type Options = NonNullable<Parameters<typeof startServer>[0]> & {
  readonly redis: RedisServer;
  /** How many servers there are. */
  readonly count?: number;
  /** Done before they start. */
  readonly prepare?: (outside: Outside) => Promise<void>;
};

/** A platform for the length of `use`. */
export async function withPlatform(
  { redis, count = 1, prepare = async () => {}, ...options }: Options,
  use: (platform: Platform) => Promise<void>,
): Promise<void> {
  const prefix = `${randomUUID()}:`;
  const outside = new Outside(redis.url, prefix);
  const servers: TestServer[] = [];
  try {
    await prepare(outside);
    await outside.watchStream();
    const database = count > 1 ? { DATABASE_URL: await makeDatabase(postgres) } : {};
    const settings = { ...database, REDIS_URL: redis.url, REDIS_PREFIX: prefix, ...options.settings };
    while (servers.length < count) servers.push(await startServer({ ...options, settings }));
    await outside.nodesListen(count);
    const witnesses: Client[] = [];
    for (const each of servers) witnesses.push(await each.admin(`w${witnesses.length + 1}`));
    const [server = assert.fail('no server')] = servers;
    const [witness = assert.fail('no witness')] = witnesses;
    await use({ server, witness, servers, witnesses, outside });
  } finally {
    outside.close();
    await Promise.all(servers.map((each) => each.close()));
  }
}

/** The messages that a client has been given, in order. */
export const messagesOf = (client: Client): unknown[] =>
  client.frames.filter(({ channel }) => channel === 'CHAT_MESSAGE').map(({ payload }) => payload.message);

/** Picks the frame of a message. */
export const saying =
  (message: string) =>
  ({ payload }: Frame): boolean =>
    payload.message === message;
