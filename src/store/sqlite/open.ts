/** The embedded store: one SQLite file, written by one process. */
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { sql } from 'drizzle-orm';
import { MAX_PAGE_BYTES } from '../../../schemas/lists.ts';
import { MEMORY } from '../../../schemas/settings.ts';
import { makeFolderOf, makePrivate } from '../../private-file.ts';
import { actsIn } from '../acts.ts';
import type { Bounds } from '../bounded.ts';
import { credentialsIn } from '../credentials.ts';
import { dealersIn } from '../dealers.ts';
import { type Digests, keyDigests } from '../digests.ts';
import { faultOfDisk } from '../disk.ts';
import { dueIn } from '../due.ts';
import { PART } from '../erasing.ts';
import { erasuresIn } from '../erasures.ts';
import { groupsIn } from '../groups.ts';
import { importsIn } from '../importing.ts';
import { lapsesIn } from '../lapses.ts';
import { lettersIn } from '../letters.ts';
import { type KeptEvent, logIn, type Position } from '../log.ts';
import { type NodeStore, nodesIn } from '../nodes.ts';
import { recordsIn } from '../records.ts';
import { searchIn } from '../searching.ts';
import type { Database as Statements } from '../sql.ts';
import type { Store } from '../store.ts';
import { timersIn } from '../timers.ts';
import type { Upkeep } from '../upkeep.ts';
import { loadSqlite } from './addon.ts';
import { type Batches, prepareBatches } from './batch.ts';
import { Checkpoints } from './checkpoints.ts';
import { commitsIn } from './commits.ts';
import { databaseOf, giveWay } from './database.ts';
import { beginEpoch, epochOf } from './epoch.ts';
import { lock } from './lock.ts';
import type { PartOfLog } from './log.ts';
import { migrateFile, pendingOf, planFor, SCHEMA } from './migrating.ts';
import { assertWhole } from './whole.ts';

/** Pages of the write-ahead log (32 MiB) after which a commit carries them into the file itself, though all wait for it. */
const CHECKPOINT_PAGES = 8192;
/** Bytes that the write-ahead log's file keeps when it begins anew: a reader that stayed has made it larger. */
const KEPT_BYTES = 64 * 1024 * 1024;
/** The longest that a write waits for another process's lock, in ms. It blocks the whole process, so it is short. */
const BUSY_TIMEOUT = 250;

/**
 * Opens the file, making it (and its folder) where it is missing, for its owner alone.
 * @param digests of the names of what is erased
 * @param alone whether no other process may open it so, until it is closed
 */
export function openSqlite(file: string, digests: Digests, alone: boolean): Store {
  loadSqlite();
  if (file !== MEMORY) makeFolderOf(file);
  const held = alone && file !== MEMORY ? lock(file) : null;
  if (file !== MEMORY) makePrivate(file); // SQLite gives -wal and -shm the same mode
  const client = new Database(file, { timeout: BUSY_TIMEOUT });
  client.pragma('journal_mode = WAL');
  client.pragma('synchronous = FULL'); // [P-8.1] acked means flushed to disk
  client.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  client.pragma(`journal_size_limit = ${KEPT_BYTES}`);
  client.pragma('secure_delete = ON'); // [P-11.4] erased means overwritten
  const checkpoints = file === MEMORY ? null : new Checkpoints(file, () => carryOver(client));
  return storeOver({ client, digests, held, checkpoints, platform: randomUUID() });
}

/** Brings what is left of the write-ahead log into the file. What hinders it hinders the next commit, which says so. */
function carryOver(client: Database.Database): void {
  try {
    client.pragma('wal_checkpoint(PASSIVE)');
  } catch (fault) {
    if (!(fault instanceof Database.SqliteError)) throw fault;
  }
}

interface Opened {
  readonly client: Database.Database;
  readonly digests: Digests;
  readonly held: Database.Database | null;
  readonly checkpoints: Checkpoints | null;
  readonly platform: string;
}

function storeOver(opened: Opened): Store {
  const { client, digests, checkpoints } = opened;
  const database = databaseOf(client, checkpoints);
  const [credentials, dealers, erasures] = [
    credentialsIn(database, digests),
    dealersIn(database),
    erasuresIn(database),
  ];
  let batches: Batches | undefined;
  /** Prepared at first use: the tables must be there. */
  const prepared = () => {
    batches ??= prepareBatches(client, digests);
    return batches;
  };
  const read = {
    ...groupsIn(database, digests),
    ...recordsIn(database),
    events: async (...[dealerId, scope, stretch]: Parameters<Store['events']>) =>
      prepared().log.events(dealerId, scope, stretch),
  };
  return {
    isCertain: true,
    pageAtOnce: { limit: 50, bytes: MAX_PAGE_BYTES },
    ...read,
    ...searchIn(read),
    ...lettersIn(database),
    ...timersIn(database),
    ...lapsesIn(database),
    ...actsIn(database),
    ...importsIn(database, digests),
    ...credentials,
    generation: async (subject, tokenId = '') => prepared().generation(subject, tokenId),
    ...dealers,
    putDealer: async (...settings) => {
      prepared().cache.clear();
      return dealers.putDealer(...settings);
    },
    changeDealer: async (...change) => {
      prepared().cache.clear();
      return dealers.changeDealer(...change);
    },
    deleteDealer: async (dealerId) => {
      prepared().cache.clear();
      return dealers.deleteDealer(dealerId);
    },
    standing: async (dealerId, groupId) => prepared().standing(dealerId, groupId),
    ...logIn(database),
    tails: async (dealerId, scopes) => prepared().tails(dealerId, scopes),
    firstAfter: async (dealerId, seen) => prepared().firstAfter(dealerId, seen),
    epoch: async () => epochOf(client),
    log: (dealerId, after, bounds) =>
      inParts((from, part) => prepared().log.ofDealer(dealerId, from, part), after, bounds),
    ...erasures,
    erasePart: async () => {
      const isMore = await erasures.erasePart();
      if (isMore) checkpoints?.wrote(PART);
      return isMore;
    },
    ...ownNode(database),
    ...upkeepOf(opened, database),
    atOnce: { batches: 1, apart: 1 },
    commit: commitsIn({ client, digests, checkpoints, prepared }),
  };
}

/** A page of a dealer's log, read in as many parts as it takes: each has a turn of its own. */
async function inParts(
  read: (after: Position | null, bounds: Bounds) => PartOfLog,
  after: Position | null,
  { limit, bytes = Number.MAX_SAFE_INTEGER }: Bounds,
): Promise<KeptEvent[]> {
  const found: KeptEvent[] = [];
  let left = bytes;
  for (let from = after; ; await giveWay()) {
    const { events, next } = read(from, { limit: limit - found.length, bytes: left });
    for (const event of events) {
      left -= Buffer.byteLength(event.payload);
      if (left < 0 && found.length > 0) return found; // it is the first of the next page
      found.push(event);
    }
    const last = events.at(-1);
    from = last ? { scope: last.scope, seq: last.seq } : next;
    if (from === null || found.length === limit || left <= 0) return found;
  }
}

/** The one node there is: nobody looks whether it still lives, so that it is written once. */
const ownNode = (database: Statements): NodeStore => ({
  ...nodesIn(database),

  async beat(nodeId) {
    const node = sql`(${nodeId}, ${Date.now()})`;
    const made = await database.rows(
      sql`insert into nodes (node_id, seen_at) values ${node} on conflict do nothing returning node_id`,
    );
    return made.length === 0;
  },

  async silentNodes(nodeId) {
    const others = await database.rows(sql`select node_id from nodes where node_id <> ${nodeId}`);
    return others.map((other) => String(other.node_id));
  },

  async livingNodes() {
    return [];
  },
});

const upkeepOf = ({ client, digests, held, checkpoints, platform }: Opened, database: Statements): Upkeep => ({
  async migrate(onUpgrade = () => {}) {
    const isNew = client.prepare("select 1 from sqlite_master where type = 'table'").get() === undefined;
    const pending = pendingOf(client).length;
    if (pending > 0 && !isNew) onUpgrade(pending);
    migrateFile(client);
    beginEpoch(client);
    await keyDigests(database, digests);
    return isNew;
  },

  async pendingMigrations() {
    return pendingOf(client).length;
  },

  async plan() {
    return planFor(client);
  },

  async examine() {
    assertWhole(client);
    pendingOf(client);
  },

  /** Nobody else serves it as long as this process does. */
  async platform() {
    return platform;
  },

  /** A write, so that a full disk is seen; it need not be on the disk when it is done. */
  async check() {
    client.pragma('synchronous = OFF');
    try {
      client.prepare('update nodes set seen_at = ?').run(Date.now());
    } finally {
      client.pragma('synchronous = FULL');
    }
  },

  due: () => dueIn(database),

  pools: null,

  schema: SCHEMA,

  faultOfDisk: client.name === MEMORY ? null : () => faultOfDisk(dirname(client.name)),

  walBytes: client.name === MEMORY ? null : () => statSync(`${client.name}-wal`, { throwIfNoEntry: false })?.size ?? 0,

  async copyTo(file) {
    client.prepare('vacuum into ?').run(file);
  },

  async close() {
    await checkpoints?.close();
    client.close();
    held?.close();
  },
});
