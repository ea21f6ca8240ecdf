import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { type Settings, sqliteFile } from '../../schemas/settings.ts';
import { ALL_DEALERS } from '../../schemas/table.ts';
import { isDatabaseServed, openJournal } from '../app.ts';
import { clockOf } from '../journal/clock.ts';
import { eraseMarked } from '../journal/eraser.ts';
import { type Pruned, prune } from '../journal/retention.ts';
import { rootOf } from '../log.ts';
import { isJsonObject } from '../protocol/checker.ts';
import { openDatabase } from './database.ts';
import { mustExist } from './must-exist.ts';
import { reasonOf } from './reason.ts';
import { readSecrets } from './secrets.ts';
import { tokenFor } from './server-token.ts';

export interface PruneRequest {
  /** Where the server is, if one has the database. */
  readonly url: string;
  readonly token?: string;
}

const SAY_WHERE = 'say where it is with --url';
const GIVE_TOKEN = 'give a token of that server with --token, or its AUTH_SECRET';

/** Advice by the status that was answered. */
const WAYS_OUT: Readonly<Record<number, string>> = { 401: GIVE_TOKEN, 403: GIVE_TOKEN, 404: SAY_WHERE };

const NOTHING: Pruned = { dealers: 0, groups: 0, failed: 0 };

/**
 * `telle prune`: forgets what dealers' `retentionDays` no longer keep, as a server does every hour. The server that has an embedded
 * database does it itself: to it, everybody else who writes is in the way.
 */
export async function pruneDatabase(settings: Settings, request: PruneRequest): Promise<void> {
  mustExist(settings);
  const isWatched = process.stderr.isTTY;
  let pruned = NOTHING;
  try {
    for await (pruned of isDatabaseServed(settings) ? byServer(settings, request) : byItself(settings)) {
      if (isWatched) process.stderr.write(`\r${pruned.groups} conversations erased`);
    }
  } finally {
    if (isWatched) process.stderr.write('\n');
  }
  process.stdout.write(`${pruned.groups} conversations of ${pruned.dealers} dealers with retentionDays were erased\n`);
  if (pruned.failed > 0) throw new Error(`${pruned.failed} conversations that are too old could not be erased`);
}

async function* byItself(settings: Settings): AsyncGenerator<Pruned> {
  // Without the server's secret the receipts wait for the server to key them: another's key would hide them from it.
  const secrets = settings.AUTH_SECRET === undefined ? [] : readSecrets(settings);
  const store = openDatabase(settings, { secrets });
  const clock = await clockOf(store);
  const journal = openJournal(settings, store, clock, (fault) =>
    process.stderr.write(`telle: ${fault instanceof Error ? rootOf(fault).message : 'a fault'}\n`),
  );
  try {
    yield* prune(store, journal, clock.now());
    await eraseMarked(store);
  } finally {
    await journal.close();
    await store.close();
  }
}

/** @throws where it is not there, does not take the token, or breaks off */
async function* byServer(settings: Settings, { url, token }: PruneRequest): AsyncGenerator<Pruned> {
  const bearer = await tokenFor(settings, token, { role: 'server', dealer: ALL_DEALERS, sub: 'telle-prune' });
  const body = await asked(settings, url, bearer);
  let isDone = false;
  let why: unknown;
  try {
    for await (const text of createInterface({ input: Readable.from(body, { objectMode: false }) })) {
      const line: unknown = JSON.parse(text);
      if (!isJsonObject(line)) continue;
      const { dealers, groups, failed, done } = line;
      isDone = done === true;
      yield { dealers: Number(dealers), groups: Number(groups), failed: Number(failed) };
    }
  } catch (fault) {
    why = fault; // the connection broke, perhaps within a line
  }
  if (!isDone) throw new Error(`${url} broke off: run it again, it goes on where it was`, { cause: why });
}

async function asked(settings: Settings, url: string, token: string): Promise<AsyncIterable<Uint8Array>> {
  const has = `a server has ${sqliteFile(settings)}, and is to do it: ${url}`;
  const response = await fetch(new URL('/v1/retention', url), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  }).catch((cause: unknown) => {
    throw new Error(`${has} does not answer: ${reasonOf(cause)}: ${SAY_WHERE}`, { cause });
  });
  if (response.ok && response.body) return response.body;
  const body: unknown = await response.json().catch(() => null);
  const why = isJsonObject(body) && typeof body.detail === 'string' ? body.detail : response.statusText;
  const advice = WAYS_OUT[response.status];
  throw new Error(`${has} answers ${response.status}: ${why}${advice === undefined ? '' : `: ${advice}`}`);
}
