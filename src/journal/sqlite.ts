/** The embedded store: one SQLite file, written by one process. */
import Database from 'better-sqlite3';
import { asc, count, eq, gt, ne, type SQL, sql } from 'drizzle-orm';
import { type BetterSQLite3Database, drizzle } from 'drizzle-orm/better-sqlite3';
import * as tables from '../../drizzle/sqlite/schema.ts';
import type { Dealer, DealerSettings } from '../../schemas/dealers.ts';
import { MEMORY } from '../../schemas/settings.ts';
import { DEALER_SCOPE, DESK_SCOPE } from '../../schemas/table.ts';
import { assetFolder } from '../assets.ts';
import { makeFolderOf, makePrivate } from '../private-file.ts';
import type { KeptAct } from './audit.ts';
import type { Bounds } from './bounded.ts';
import { Checkpoints } from './checkpoints.ts';
import { type Generation, revokingAll, revokingCustomers } from './credentials.ts';
import { type Digests, keyDigests } from './digests.ts';
import { PART, tablesOfDealer } from './erasing.ts';
import { pendingIn } from './migrations.ts';
import { type ChangeOrder, type KeptEvent, lettersAfter, type Place, Reader } from './reading.ts';
import type { Changes, Needs, Rows, StoredEvent } from './rows.ts';
import { beginningAfter, settingAside } from './setting-aside.ts';
import { eraseAll, eraseMarked, scrub } from './sqlite-erasing.ts';
import { lock } from './sqlite-lock.ts';
import { EVENTS_WHERE, ofMarked } from './sqlite-log.ts';
import { assertWhole, loadSqlite, migrateFile } from './sqlite-opening.ts';
import { prepareStatements } from './sqlite-statements.ts';
import {
  type DeadLetter,
  dealerOf,
  type LetterRow,
  letterOfRow,
  rowOfLetter,
  rowOfSettings,
  type Standing,
  type Store,
  type Stretch,
} from './store.ts';

/** Pages of the write-ahead log (32 MiB) after which a commit carries them into the file itself, though all wait for it. */
const CHECKPOINT_PAGES = 8192;
/** How long a write waits for another process's lock, in ms. It blocks the whole process, so it is short. */
const BUSY_TIMEOUT = 250;

const MIGRATIONS = 'drizzle/sqlite/migrations';

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
  client.pragma('secure_delete = ON'); // [P-11.4] erased means overwritten
  const checkpoints = file === MEMORY ? null : new Checkpoints(file, () => carryOver(client));
  return new SqliteStore(client, digests, held, checkpoints);
}

/** Brings what is left of the write-ahead log into the file. What hinders it hinders the next commit, which says so. */
function carryOver(client: Database.Database): void {
  try {
    client.pragma('wal_checkpoint(PASSIVE)');
  } catch (fault) {
    if (!(fault instanceof Database.SqliteError)) throw fault;
  }
}

/** Whether an event was not written because its sender's key is taken. */
const isRepeat = (fault: unknown): boolean =>
  fault instanceof Database.SqliteError &&
  fault.code === 'SQLITE_CONSTRAINT_UNIQUE' &&
  fault.message.includes('events.id');

/** The clock of this machine, in ms since 1970: the database has no other. */
const NOW = sql`cast(unixepoch('subsec') * 1000 as integer)`;

const CHANGE_ORDER: ChangeOrder = { columns: [sql`g.updated_at`], at: (ms) => [ms] };

class SqliteStore extends Reader implements Store {
  readonly #client: Database.Database;
  readonly #lock: Database.Database | null;
  readonly #checkpoints: Checkpoints | null;
  readonly #db: BetterSQLite3Database;
  #statements: ReturnType<typeof prepareStatements> | undefined;

  constructor(
    client: Database.Database,
    digests: Digests,
    held: Database.Database | null,
    checkpoints: Checkpoints | null,
  ) {
    super(EVENTS_WHERE, CHANGE_ORDER, digests, NOW);
    this.#client = client;
    this.#lock = held;
    this.#checkpoints = checkpoints;
    this.#db = drizzle(client);
  }

  /** Prepared at first use: the tables must be there. */
  get #prepared() {
    this.#statements ??= prepareStatements(this.#client, this.digests);
    return this.#statements;
  }

  protected override async generationOf(
    dealer: string,
    subjects: readonly string[],
    tokenId: string,
  ): Promise<Generation> {
    return this.#prepared.generation(dealer, subjects, tokenId);
  }

  protected override async rows(query: SQL): Promise<Record<string, unknown>[]> {
    return this.#db.all(query);
  }

  async migrate(onUpgrade: (migrations: number) => void = () => {}): Promise<boolean> {
    const tables = this.#client.prepare("select count(*) from sqlite_master where type = 'table'").pluck();
    const isNew = tables.get() === 0;
    const pending = await this.pendingMigrations();
    if (pending > 0 && !isNew) onUpgrade(pending);
    migrateFile(this.#client, assetFolder(MIGRATIONS));
    await keyDigests((query) => this.rows(query), this.digests);
    return isNew;
  }

  async pendingMigrations(): Promise<number> {
    const isKnown = this.#client.prepare("select 1 from sqlite_master where name = '__drizzle_migrations'").get();
    const had = isKnown
      ? this.#client.prepare<[], number>('select created_at from __drizzle_migrations').pluck().all()
      : [];
    return pendingIn(assetFolder(MIGRATIONS), had);
  }

  async examine(): Promise<void> {
    assertWhole(this.#client);
    await this.pendingMigrations();
  }

  async now(): Promise<number> {
    return Date.now();
  }

  async check(): Promise<void> {
    // Taking the write lock is as far as a check can go without writing: a disk that fills is seen when a batch fails.
    this.#client.transaction(() => this.#db.select({ any: count() }).from(tables.dealers).get()).immediate();
  }

  async commit(needs: Needs, work: (rows: Rows) => Changes): Promise<void> {
    try {
      this.#transact(needs, work, false);
    } catch (fault) {
      if (!isRepeat(fault)) throw fault;
      this.#transact(needs, work, true); // [P-8.4]
    }
  }

  #transact(needs: Needs, work: (rows: Rows) => Changes, withPriors: boolean): void {
    const { cache, load, write } = this.#prepared;
    const transaction = this.#client.transaction(() => {
      const changes = work(load(needs, withPriors));
      for (const statement of settingAside(changes, EVENTS_WHERE, this.digests)) this.#db.run(statement);
      if (changes.setAside.length > 0) cache.clear();
      const ends = write(changes);
      const consequences = [...beginningAfter(changes), ...revokingCustomers(changes, this.digests, NOW)];
      for (const statement of consequences) this.#db.run(statement);
      eraseAll(this.#db, changes, this.digests);
      return { changes, ends };
    });
    try {
      const { changes, ends } = transaction.immediate();
      cache.wrote(changes, ends);
      this.#checkpoints?.wrote(changes.events.length);
    } catch (fault) {
      cache.clear(); // what a commit that failed has done, the file knows
      throw fault;
    }
  }

  async standing(dealerId: string, groupId?: string): Promise<Standing> {
    return this.#prepared.standing(dealerId, groupId);
  }

  async tails(dealerId: string, scopes: readonly string[]): Promise<Map<string, number>> {
    const { dealer, group } = this.#prepared;
    const tail = (scope: string): number => {
      if (scope === DEALER_SCOPE) return dealer(dealerId)?.dealerSeq ?? 0;
      if (scope === DESK_SCOPE) return dealer(dealerId)?.deskSeq ?? 0;
      return group(dealerId, scope)?.lastSeq ?? 0;
    };
    return new Map(scopes.map((scope) => [scope, tail(scope)]));
  }

  async events(dealerId: string, scope: string, stretch: Stretch): Promise<StoredEvent[]> {
    return this.#prepared.log.events(dealerId, scope, stretch);
  }

  async firstAfter(dealerId: string, seen: ReadonlyMap<string, number>): Promise<Map<string, number>> {
    const { firstAfter } = this.#prepared;
    const found = [...seen].map(([scope, seq]) => [scope, firstAfter(dealerId, scope, seq)] as const);
    return new Map(found.flatMap(([scope, first]) => (first === undefined ? [] : [[scope, first]])));
  }

  async log(dealerId: string, after: Place | null, bounds: Bounds): Promise<KeptEvent[]> {
    return this.#prepared.log.ofDealer(dealerId, after, bounds);
  }

  /** Written once: no other node looks whether this one still lives. */
  async beat(nodeId: string): Promise<boolean> {
    const { nodes } = tables;
    const made = this.#db.insert(nodes).values({ nodeId, seenAt: Date.now() }).onConflictDoNothing().run();
    return made.changes === 0;
  }

  async silentNodes(nodeId: string): Promise<string[]> {
    const { nodes } = tables;
    const others = this.#db.select({ nodeId: nodes.nodeId }).from(nodes).where(ne(nodes.nodeId, nodeId)).all();
    return others.map((other) => other.nodeId);
  }

  async presencesOf(nodeId: string): Promise<{ dealerId: string; sender: string }[]> {
    const { presences } = tables;
    const { dealerId, sender } = presences;
    return this.#db.select({ dealerId, sender }).from(presences).where(eq(presences.nodeId, nodeId)).all();
  }

  async forgetNode(nodeId: string): Promise<void> {
    this.#db.delete(tables.nodes).where(eq(tables.nodes.nodeId, nodeId)).run();
  }

  async dealer(dealerId: string): Promise<Dealer | null> {
    const row = this.#db.select().from(tables.dealers).where(eq(tables.dealers.dealerId, dealerId)).get();
    return row ? dealerOf(row) : null;
  }

  async dealers(after: string, limit: number): Promise<Dealer[]> {
    const { dealers } = tables;
    const page = this.#db.select().from(dealers).where(gt(dealers.dealerId, after)).orderBy(asc(dealers.dealerId));
    return page.limit(limit).all().map(dealerOf);
  }

  async putDealer(dealerId: string, given: DealerSettings): Promise<boolean> {
    const settings = rowOfSettings(given);
    this.#prepared.cache.clear();
    return this.#client
      .transaction(() => {
        const isNew = this.#prepared.dealer(dealerId) === undefined;
        this.#db
          .insert(tables.dealers)
          .values({ dealerId, ...settings, createdAt: Date.now() })
          .onConflictDoUpdate({ target: tables.dealers.dealerId, set: settings })
          .run();
        return isNew;
      })
      .immediate();
  }

  async deleteDealer(dealerId: string): Promise<boolean> {
    const { dealers, erasing, events } = tables;
    this.#prepared.cache.clear();
    return this.#client
      .transaction(() => {
        for (const where of [EVENTS_WHERE.ofDealer, ofMarked]) this.#db.delete(events).where(where(dealerId)).run();
        for (const table of [...tablesOfDealer(tables), erasing]) {
          this.#db.delete(table).where(eq(table.dealerId, dealerId)).run();
        }
        const isRemoved = this.#db.delete(dealers).where(eq(dealers.dealerId, dealerId)).run().changes > 0;
        if (isRemoved) for (const statement of revokingAll(dealerId, NOW)) this.#db.run(statement);
        return isRemoved;
      })
      .immediate();
  }

  async erasePart(): Promise<boolean> {
    const isMore = this.#client.transaction(() => eraseMarked(this.#db)).immediate();
    if (isMore) this.#checkpoints?.wrote(PART);
    return isMore;
  }

  async scrub(): Promise<boolean> {
    await this.#checkpoints?.carried();
    return scrub(this.#client, this.#db);
  }

  async bury(letters: readonly DeadLetter[]): Promise<void> {
    const bury = () => {
      for (const letter of letters) this.#db.insert(tables.deadLetters).values(rowOfLetter(letter)).run();
    };
    this.#client.transaction(bury).immediate();
  }

  async deadLetters(after: string, bounds: Bounds): Promise<DeadLetter[]> {
    return this.#db.all<LetterRow>(lettersAfter(after, bounds)).map(letterOfRow);
  }

  async deadLetter(deadLetterId: string): Promise<DeadLetter | null> {
    const { deadLetters } = tables;
    const row = this.#db.select().from(deadLetters).where(eq(deadLetters.deadLetterId, deadLetterId)).get();
    return row ? letterOfRow(row) : null;
  }

  async removeDeadLetter(deadLetterId: string): Promise<void> {
    this.#db.delete(tables.deadLetters).where(eq(tables.deadLetters.deadLetterId, deadLetterId)).run();
  }

  async keepActs(acts: readonly KeptAct[]): Promise<void> {
    const keep = () => {
      for (const act of acts) this.#db.insert(tables.audit).values(act).run();
    };
    this.#client.transaction(keep).immediate();
  }

  async copyTo(file: string): Promise<void> {
    this.#client.prepare('vacuum into ?').run(file);
  }

  async close(): Promise<void> {
    await this.#checkpoints?.close();
    this.#client.close();
    this.#lock?.close();
  }
}
