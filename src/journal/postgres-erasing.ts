/** [P-11.4] How Postgres erases: a log by its seqs, and what updates leave behind by vacuuming. */
import { performance } from 'node:perf_hooks';
import { type SQL, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import type pg from 'pg';
import type { Digests } from './digests.ts';
import {
  blanking,
  type Erasing,
  FINISHED,
  forgetMark,
  lastErased,
  type Marked,
  markedOfRow,
  marking,
  NEXT_MARKED,
  PART,
} from './erasing.ts';
import { type PostgresPool, withClient, withPatientClient } from './postgres-pool.ts';
import type { Changes } from './rows.ts';

/** How long a node waits at least before it vacuums again, in ms: each time goes through all that changed since the last. */
const VACUUM_PAUSE = 60_000;

/** The tables that hold what an erasure takes away. `skip_locked`: another node, or Postgres by itself, is at it. */
const VACUUM = `vacuum (skip_locked)
  events, groups, users, leads, lead_intents, chats, presences, dead_letters, erasing`;

const inLog = ({ dealerId, groupId, erasureId }: Marked): SQL => sql`dealer_id = ${dealerId} and scope = ${groupId}
  and seq <= (select last_seq from erasing where dealer_id = ${dealerId} and erasure_id = ${erasureId})`;

const ERASING: Erasing = {
  firstSeq: (dealerId, groupId) => sql`(select min(seq) from events
    where dealer_id = ${dealerId} and scope = ${groupId} and seq > ${lastErased(dealerId, groupId)})`,
};

/** The statements that carry a batch's erasures out, in order: what is short whole, what is long as far as a part. */
export const erasing = (changes: Changes, digests: Digests): SQL[] => [
  ...marking(changes, digests, ERASING),
  ...changes.erasures.flatMap(part),
];

const part = (marked: Marked): SQL[] => [
  sql`delete from events where dealer_id = ${marked.dealerId} and scope = ${marked.groupId} and seq in
    (select seq from events where ${inLog(marked)} order by seq desc limit ${PART})`,
  sql`update erasing set last_seq = coalesce((select max(seq) from events where ${inLog(marked)}), 0)
    where dealer_id = ${marked.dealerId} and erasure_id = ${marked.erasureId}`,
  ...blanking(marked),
];

/** Goes on with a conversation that is marked and that no other node is at. @returns whether there was one */
export function eraseMarked(pool: pg.Pool): Promise<boolean> {
  return withClient(pool, (client) =>
    drizzle(client).transaction(async (at) => {
      const { rows } = await at.execute(sql`${NEXT_MARKED} for update skip locked`);
      for (const row of rows) for (const statement of part(markedOfRow(row))) await at.execute(statement);
      return rows.length > 0;
    }),
  );
}

/** Vacuums after erasures, and forgets their marks. */
export class Vacuum {
  readonly #pool: PostgresPool;
  #at = Number.NEGATIVE_INFINITY;

  constructor(pool: PostgresPool) {
    this.#pool = pool;
  }

  /** @returns false where it is too early: what is left waits for the next time */
  async run(): Promise<boolean> {
    const { rows } = await drizzle(this.#pool).execute(FINISHED);
    if (rows.length === 0) return true;
    if (performance.now() - this.#at < VACUUM_PAUSE) return false;
    this.#at = performance.now();
    await withPatientClient(this.#pool, (client) => client.query(VACUUM));
    for (const row of rows) await drizzle(this.#pool).execute(forgetMark(row));
    return true;
  }
}
