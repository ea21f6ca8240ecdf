/** The store of a platform: Postgres, written by any number of nodes. */
import { and, asc, eq, gt, lt, ne, type SQL, sql } from 'drizzle-orm';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import { PgDialect } from 'drizzle-orm/pg-core';
import type pg from 'pg';
import * as tables from '../../drizzle/postgres/schema.ts';
import type { Dealer, DealerSettings } from '../../schemas/dealers.ts';
import { assetFolder } from '../assets.ts';
import { changed, type Group } from '../domain/state.ts';
import type { KeptAct } from './audit.ts';
import type { Bounds } from './bounded.ts';
import { revokingAll, revokingCustomers } from './credentials.ts';
import { type Digests, keyDigests } from './digests.ts';
import { tablesOfDealer } from './erasing.ts';
import { pendingIn } from './migrations.ts';
import { freeKeys, load, writing } from './postgres-batch.ts';
import { eraseMarked, erasing, Vacuum } from './postgres-erasing.ts';
import { assertEncoding, assertMayMigrate, assertMayUse } from './postgres-fitness.ts';
import { EVENTS_WHERE, eventsOf, firstAfter, logOf } from './postgres-log.ts';
import {
  inOneWrite,
  isDatabases,
  isLostRace,
  openPool,
  type PostgresPool,
  withClient,
  withPatientClient,
} from './postgres-pool.ts';
import { READ_STANDING, READ_TAILS } from './postgres-statements.ts';
import { type ChangeOrder, type KeptEvent, lettersAfter, type Place, Reader } from './reading.ts';
import type { Changes, DealerSeqs, Needs, Rows, StoredEvent } from './rows.ts';
import { beginningAfter, settingAside } from './setting-aside.ts';
import {
  type DeadLetter,
  type Doorway,
  dealerOf,
  type LetterRow,
  letterOfRow,
  rowOfLetter,
  rowOfSettings,
  type Standing,
  type Store,
  type Stretch,
} from './store.ts';

const MIGRATIONS = 'drizzle/postgres/migrations';

/** The key of the lock under which one node migrates while others wait. */
const MIGRATION_LOCK = 7_355_308;
/** How often a batch is tried that met another node's in making the same new row. */
const MAX_TRIES = 5;

/** The database's own clock, in ms since 1970: nodes' clocks may differ. */
const NOW = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;

const dialect = new PgDialect();

/** A statement of Drizzle's, as the driver takes it. */
function queryOf(statement: SQL): pg.QueryConfig {
  const { sql: text, params } = dialect.sqlToQuery(statement);
  return { text, values: params };
}

/** Opens the database; nothing is connected until it is used. @param onError told of a connection lost while idle */
export function openPostgres(url: string, digests: Digests, onError: (error: Error) => void): Store {
  return new PostgresStore(openPool(url, onError), digests);
}

/** A row of `READ_STANDING`. */
type StandingRow = { readonly adminOnline: boolean } & ((DealerSeqs & Doorway) | { readonly origins: null }) &
  ((Group & { readonly groupId: string }) | { readonly groupId: null });

/** Within a minute, which the index has, those that it finds are sorted. */
const CHANGE_ORDER: ChangeOrder = {
  columns: [sql`g.updated_minute`, sql`g.updated_at`],
  at: (ms) => [Math.floor(ms / tables.MINUTE), ms],
};

class PostgresStore extends Reader implements Store {
  readonly #pool: PostgresPool;
  readonly #db: NodePgDatabase;
  readonly #vacuum: Vacuum;

  constructor(pool: PostgresPool, digests: Digests) {
    super(EVENTS_WHERE, CHANGE_ORDER, digests, NOW);
    this.#pool = pool;
    this.#db = drizzle(pool);
    this.#vacuum = new Vacuum(pool);
  }

  protected override async rows(query: SQL): Promise<Record<string, unknown>[]> {
    return (await this.#db.execute(query)).rows;
  }

  async migrate(onUpgrade: (migrations: number) => void = () => {}): Promise<boolean> {
    return withPatientClient(this.#pool, async (client) => {
      await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]); // it goes with its connection
      const { rows } = await client.query("select to_regclass('events') is null as is_new");
      const isNew = rows[0]?.is_new === true;
      const pending = await this.pendingMigrations();
      await assertEncoding(client);
      if (pending > 0) await assertMayMigrate(client, pending);
      if (pending > 0 && !isNew) onUpgrade(pending);
      // Drizzle makes its schema again and again, for which a role that only serves has no right.
      if (pending > 0) await migrate(drizzle(client), { migrationsFolder: assetFolder(MIGRATIONS) });
      await assertMayUse(client);
      await keyDigests((query) => this.rows(query), this.digests);
      return isNew;
    });
  }

  async pendingMigrations(): Promise<number> {
    await assertMayUse(this.#pool);
    const { rows: known } = await this.#pool.query("select to_regclass('drizzle.__drizzle_migrations') as name");
    if (known[0]?.name === null) return pendingIn(assetFolder(MIGRATIONS), []);
    const { rows } = await this.#pool.query<{ at: number }>(
      'select created_at as at from drizzle.__drizzle_migrations',
    );
    return pendingIn(
      assetFolder(MIGRATIONS),
      rows.map(({ at }) => at),
    );
  }

  async examine(): Promise<void> {
    await assertEncoding(this.#pool);
    const pending = await this.pendingMigrations();
    if (pending > 0) await assertMayMigrate(this.#pool, pending);
  }

  async now(): Promise<number> {
    const [row] = await this.rows(sql`select ${NOW} as now`);
    return Number(row?.now);
  }

  async check(): Promise<void> {
    const { rows } = await this.#pool.query("select current_setting('transaction_read_only') as read_only");
    if (rows[0]?.read_only !== 'off') throw new Error('the database can only be read');
  }

  async commit(needs: Needs, work: (rows: Rows) => Changes): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#transact(needs, work, attempt > 1);
      } catch (error) {
        if (!isLostRace(error) || attempt === MAX_TRIES) throw error;
      }
    }
  }

  async #transact(needs: Needs, work: (rows: Rows) => Changes, isAgain: boolean): Promise<void> {
    await withClient(this.#pool, async (client) => {
      try {
        const [, rows] = await inOneWrite(client, () =>
          Promise.all([client.query('begin'), load(client, this.digests, needs)]),
        );
        const known = { dealers: new Set(rows.dealers.keys()), groups: new Set(rows.groups.keys()) };
        const changes = work(rows);
        for (const { dealerId, to } of changes.setAside) known.groups.add(`${dealerId}/${to}`);
        // Where one of them fails, those behind it do, and to commit then is to roll back.
        const statements = [
          ...(isAgain ? [freeKeys(needs)] : []),
          ...settingAside(changes, EVENTS_WHERE, this.digests).map(queryOf),
          ...writing(changes, known),
          ...beginningAfter(changes).map(queryOf),
          ...revokingCustomers(changes, this.digests, NOW).map(queryOf),
          ...erasing(changes, this.digests).map(queryOf),
          'commit',
        ];
        await inOneWrite(client, () => Promise.all(statements.map((statement) => client.query(statement))));
      } catch (error) {
        if (isDatabases(error)) await client.query('rollback').catch(() => {});
        throw error;
      }
    });
  }

  async standing(dealerId: string, groupId?: string): Promise<Standing> {
    const {
      rows: [row],
    } = await this.#pool.query<StandingRow>({ ...READ_STANDING, values: [dealerId, groupId ?? null] });
    return {
      dealer: row?.origins
        ? { dealerSeq: row.dealerSeq, deskSeq: row.deskSeq, origins: row.origins, claims: row.claims }
        : null,
      group: row?.groupId ? changed(row, {}) : null,
      adminOnline: row?.adminOnline ?? false,
    };
  }

  async tails(dealerId: string, scopes: readonly string[]): Promise<Map<string, number>> {
    type Row = { scope: string; seq: number };
    const { rows } = await this.#pool.query<Row>({ ...READ_TAILS, values: [dealerId, scopes] });
    const tails = new Map(rows.map(({ scope, seq }) => [scope, seq]));
    return new Map(scopes.map((scope) => [scope, tails.get(scope) ?? 0]));
  }

  events(dealerId: string, scope: string, stretch: Stretch): Promise<StoredEvent[]> {
    return eventsOf(this.#db, dealerId, scope, stretch);
  }

  firstAfter(dealerId: string, seen: ReadonlyMap<string, number>): Promise<Map<string, number>> {
    return firstAfter(this.#db, dealerId, seen);
  }

  log(dealerId: string, after: Place | null, bounds: Bounds): Promise<KeptEvent[]> {
    return logOf(this.#db, dealerId, after, bounds);
  }

  async beat(nodeId: string): Promise<boolean> {
    const { nodes } = tables;
    const [known] = await this.#db.update(nodes).set({ seenAt: NOW }).where(eq(nodes.nodeId, nodeId)).returning();
    if (known) return true;
    await this.#db.insert(nodes).values({ nodeId, seenAt: NOW });
    return false;
  }

  async silentNodes(nodeId: string, ms: number): Promise<string[]> {
    const { nodes } = tables;
    const silent = await this.#db
      .select({ nodeId: nodes.nodeId })
      .from(nodes)
      .where(and(ne(nodes.nodeId, nodeId), lt(nodes.seenAt, sql`${NOW} - ${ms}`)));
    return silent.map((each) => each.nodeId);
  }

  async presencesOf(nodeId: string): Promise<{ dealerId: string; sender: string }[]> {
    const { presences } = tables;
    const { dealerId, sender } = presences;
    return this.#db.select({ dealerId, sender }).from(presences).where(eq(presences.nodeId, nodeId));
  }

  async forgetNode(nodeId: string): Promise<void> {
    await this.#db.delete(tables.nodes).where(eq(tables.nodes.nodeId, nodeId));
  }

  async dealer(dealerId: string): Promise<Dealer | null> {
    const [row] = await this.#db.select().from(tables.dealers).where(eq(tables.dealers.dealerId, dealerId));
    return row ? dealerOf(row) : null;
  }

  async dealers(after: string, limit: number): Promise<Dealer[]> {
    const { dealers } = tables;
    const page = this.#db.select().from(dealers).where(gt(dealers.dealerId, after)).orderBy(asc(dealers.dealerId));
    return (await page.limit(limit)).map(dealerOf);
  }

  async putDealer(dealerId: string, given: DealerSettings): Promise<boolean> {
    const settings = rowOfSettings(given);
    const made = await this.#db
      .insert(tables.dealers)
      .values({ dealerId, ...settings, createdAt: Date.now() })
      .onConflictDoNothing()
      .returning({ dealerId: tables.dealers.dealerId });
    if (made.length > 0) return true;
    await this.#db.update(tables.dealers).set(settings).where(eq(tables.dealers.dealerId, dealerId));
    return false;
  }

  async deleteDealer(dealerId: string): Promise<boolean> {
    const { dealers, erasing, events } = tables;
    return withClient(this.#pool, (client) =>
      drizzle(client).transaction(async (at) => {
        const removed = await at.delete(dealers).where(eq(dealers.dealerId, dealerId)).returning();
        // Whoever is erasing a part holds its mark, and then its events.
        for (const table of [erasing, events, ...tablesOfDealer(tables)]) {
          await at.delete(table).where(eq(table.dealerId, dealerId));
        }
        if (removed.length > 0) for (const statement of revokingAll(dealerId, NOW)) await at.execute(statement);
        return removed.length > 0;
      }),
    );
  }

  erasePart(): Promise<boolean> {
    return eraseMarked(this.#pool);
  }

  scrub(): Promise<boolean> {
    return this.#vacuum.run();
  }

  async bury(letters: readonly DeadLetter[]): Promise<void> {
    if (letters.length > 0) await this.#db.insert(tables.deadLetters).values(letters.map(rowOfLetter));
  }

  async deadLetters(after: string, bounds: Bounds): Promise<DeadLetter[]> {
    const { rows } = await this.#db.execute<LetterRow & Record<string, unknown>>(lettersAfter(after, bounds));
    return rows.map(letterOfRow);
  }

  async deadLetter(deadLetterId: string): Promise<DeadLetter | null> {
    const { deadLetters } = tables;
    const [row] = await this.#db.select().from(deadLetters).where(eq(deadLetters.deadLetterId, deadLetterId));
    return row ? letterOfRow(row) : null;
  }

  async removeDeadLetter(deadLetterId: string): Promise<void> {
    await this.#db.delete(tables.deadLetters).where(eq(tables.deadLetters.deadLetterId, deadLetterId));
  }

  async keepActs(acts: readonly KeptAct[]): Promise<void> {
    await this.#db.insert(tables.audit).values([...acts]);
  }

  async copyTo(): Promise<void> {
    throw new Error('only an embedded database is copied to a file');
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}
