/** The store of a platform: Postgres, written by any number of nodes. */
import { createHash } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { changed, type Group, NEW_RULES } from '../../domain/state.ts';
import { actsIn } from '../acts.ts';
import { type CredentialStore, credentialsIn } from '../credentials.ts';
import { type DealerStore, type Doorway, dealersIn } from '../dealers.ts';
import { type Digests, keyDigests } from '../digests.ts';
import { dueIn } from '../due.ts';
import { erasuresIn } from '../erasures.ts';
import { groupsIn } from '../groups.ts';
import { importsIn } from '../importing.ts';
import { lapsesIn } from '../lapses.ts';
import { lettersIn } from '../letters.ts';
import { type LogStore, logIn } from '../log.ts';
import { DEAD, type NodeStore, nodesIn } from '../nodes.ts';
import { recordsIn } from '../records.ts';
import type { DealerSeqs } from '../rows.ts';
import { type RulesRow, rulesOfRow } from '../rules.ts';
import { searchIn } from '../searching.ts';
import type { Database } from '../sql.ts';
import type { Store } from '../store.ts';
import { timersIn } from '../timers.ts';
import type { Upkeep } from '../upkeep.ts';
import { commitsIn } from './commits.ts';
import { databaseOf } from './database.ts';
import { NOW } from './dialect.ts';
import { clusterOf, epochOf } from './epoch.ts';
import { assertEncoding, assertMayMigrate } from './fitness.ts';
import { eventsOf, firstAfter, logOf } from './log.ts';
import { migrateInTries, pendingOf, planFor, SCHEMA } from './migrating.ts';
import { AT_ONCE, ask, openPool, type PoolOptions, type PostgresPool, withPatientClient } from './pool.ts';
import { READ_STANDING, READ_TAILS } from './statements.ts';

/** Opens the database; nothing is connected until it is used. */
export function openPostgres(digests: Digests, options: PoolOptions): Store {
  const [commits, pool, health] = [
    openPool('commits', options),
    openPool('readers', options),
    openPool('health', options),
  ];
  const database = databaseOf(pool);
  const read = { ...logOn(pool, database, health), ...groupsIn(database, digests), ...recordsIn(database) };
  return {
    isCertain: false,
    // As many as are written out in a millisecond or two.
    pageAtOnce: { limit: 2000, bytes: 1024 * 1024 },
    ...read,
    ...searchIn(read),
    ...dealersIn(database),
    standing: standingOn(pool),
    ...lettersIn(database),
    ...timersIn(database),
    ...lapsesIn(database),
    ...actsIn(database),
    ...importsIn(database, digests),
    ...credentialsIn(database, digests),
    ...heartbeatOn(databaseOf(health), digests),
    ...erasuresIn(database),
    ...nodesOn(database, databaseOf(health)),
    ...upkeepOf(pool, database, digests),
    check: () => check(health),
    pools: () => ({ commits: commits.state, readers: pool.state, health: health.state }),
    close: async () => {
      await Promise.all([commits, pool, health].map((each) => each.end()));
    },
    atOnce: AT_ONCE,
    commit: commitsIn(commits, digests),
  };
}

/** Questions of each heartbeat about tokens that were taken back, which wait for no reader. */
function heartbeatOn(health: Database, digests: Digests): Pick<CredentialStore, 'now' | 'revokedSince'> {
  const { now, revokedSince } = credentialsIn(health, digests);
  return { now, revokedSince };
}

/** @param health what tells whether the log is another one waits for no reader */
const logOn = (pool: PostgresPool, database: Database, health: PostgresPool): LogStore => ({
  ...logIn(database),
  events: (dealerId, scope, stretch) => eventsOf(pool, dealerId, scope, stretch),
  firstAfter: (dealerId, seen) => firstAfter(database, dealerId, seen),
  epoch: () => epochOf(health),
  log: (dealerId, after, bounds) => logOf(database, dealerId, after, bounds),

  async tails(dealerId, scopes) {
    type Row = { scope: string; seq: number };
    const rows = await ask<Row>(pool, { ...READ_TAILS, values: [dealerId, scopes] });
    const tails = new Map(rows.map(({ scope, seq }) => [scope, seq]));
    return new Map(scopes.map((scope) => [scope, tails.get(scope) ?? 0]));
  },
});

/** A row of `READ_STANDING`. */
type StandingRow = { readonly adminOnline: boolean } & (
  | (DealerSeqs & Doorway & RulesRow)
  | { readonly origins: null }
) &
  ((Group & { readonly groupId: string }) | { readonly groupId: null });

const dealerIn = ({
  dealerSeq,
  deskSeq,
  origins,
  claims,
  groupKey,
  groupKeyUntil,
}: DealerSeqs & Doorway): DealerSeqs & Doorway => ({
  ...{ dealerSeq, deskSeq, origins, claims, groupKey, groupKeyUntil },
});

const standingOn =
  (pool: PostgresPool): DealerStore['standing'] =>
  async (dealerId, groupId) => {
    const [row] = await ask<StandingRow>(pool, { ...READ_STANDING, values: [dealerId, groupId ?? null] });
    return {
      dealer: row?.origins ? dealerIn(row) : null,
      rules: row?.origins ? rulesOfRow(row) : NEW_RULES,
      group: row?.groupId ? changed(row, {}) : null,
      adminOnline: row?.adminOnline ?? false,
    };
  };

/** @param health what tells that this node lives has connections of its own: a node that waits behind others is none that has died */
const nodesOn = (database: Database, health: Database): NodeStore => ({
  ...nodesIn(database),

  async beat(nodeId) {
    const known = await health.rows(
      sql`update nodes set seen_at = ${NOW} where node_id = ${nodeId} and seen_at > ${DEAD} returning node_id`,
    );
    if (known.length > 0) return true;
    await health.rows(sql`insert into nodes (node_id, seen_at) values (${nodeId}, ${NOW})
      on conflict (node_id) do update set seen_at = excluded.seen_at`);
    return false;
  },

  async silentNodes(nodeId, ms) {
    const silent = await health.rows(
      sql`select node_id from nodes where node_id <> ${nodeId} and seen_at < ${NOW} - ${ms}`,
    );
    return silent.map((each) => String(each.node_id));
  },

  async livingNodes(ms) {
    const living = await health.rows(sql`select node_id from nodes where seen_at >= ${NOW} - ${ms}`);
    return living.map((each) => String(each.node_id));
  },
});

/** read_only_sql_transaction: the code of what cannot be written, and so of a database to which nothing can be. */
const READ_ONLY = '25006';

async function check(pool: PostgresPool): Promise<void> {
  const [row] = await ask(pool, { text: "select current_setting('transaction_read_only') as read_only" });
  if (row?.read_only !== 'off') throw Object.assign(new Error('the database can only be read'), { code: READ_ONLY });
}

const upkeepOf = (
  pool: PostgresPool,
  database: Database,
  digests: Digests,
): Omit<Upkeep, 'check' | 'close' | 'pools'> => ({
  migrate: (onUpgrade = () => {}, onBusy = () => {}) =>
    withPatientClient(pool, async (client) => {
      const isNew = await migrateInTries(client, onUpgrade, onBusy);
      await keyDigests(database, digests);
      return isNew;
    }),

  pendingMigrations: async () => (await pendingOf(pool)).length,

  plan: () => planFor(pool),

  async examine() {
    await assertEncoding(pool);
    const pending = await pendingOf(pool);
    if (pending.length > 0) await assertMayMigrate(pool, pending.length);
  },

  async platform() {
    // A standby that takes over is the same, and so is nothing that was restored into another server or database.
    const cluster = await clusterOf(pool).catch(() => '');
    const { rows } = await pool.query(
      'select oid::text, datname, current_schema() as schema from pg_database where datname = current_database()',
    );
    return createHash('sha256')
      .update(JSON.stringify([cluster, rows[0]]))
      .digest('hex')
      .slice(0, 16);
  },

  due: () => dueIn(database),
  schema: SCHEMA,
  faultOfDisk: null,
  walBytes: null,
  copyTo: null,
});
