/** [P-11.4] Erasing on Postgres: a log by its seqs, and what updates leave behind by vacuuming. */
import { performance } from 'node:perf_hooks';
import { type SQL, sql } from 'drizzle-orm';
import type { Digests } from '../digests.ts';
import { blanking, type Erasing, isMarkOf, lastErased, marking, PART, TOGETHER } from '../erasing.ts';
import { byDealer, type Changes, type Mark } from '../rows.ts';
import { PLACE, table } from './dialect.ts';
import { type PostgresPool, withPatientClient } from './pool.ts';

/** The least pause before a node vacuums again, in ms: each time goes through all that changed since the last. */
const VACUUM_PAUSE = 60_000;

/** The tables that hold what an erasure takes away. `skip_locked`: another node, or Postgres by itself, is at it. */
const VACUUM = `vacuum (skip_locked)
  events, groups, users, leads, lead_intents, chats, presences, dead_letters, erasing`;

const ERASING: Erasing = {
  place: PLACE,
  table,
  firstSeq: (dealerId, groupId) => sql`(select min(seq) from events
    where dealer_id = ${dealerId} and scope = ${groupId} and seq > ${lastErased(dealerId, groupId)})`,
};

/** The statements that carry a batch's erasures out, in order, and take the first part of their logs. */
export const erasing = (changes: Changes, digests: Digests): SQL[] => [
  ...marking(changes, digests, ERASING),
  ...byDealer(changes.erasures).flatMap(([dealerId, marked]) => partOf(dealerId, marked.slice(0, TOGETHER))),
];

/** The statements that take the next part of a dealer's conversations that are marked. No log has a gap: no more of each is looked at than may go. */
export function partOf(dealerId: string, marked: readonly Mark[]): SQL[] {
  const isMark = isMarkOf(dealerId, marked, table);
  return [
    sql`delete from events where ctid = any(array(
      select e.ctid from (select * from erasing where ${isMark}) m join events e on e.dealer_id = ${dealerId} and e.scope = m.group_id
        and e.seq <= m.last_seq and e.seq > m.last_seq - ${PART} limit ${PART}))`,
    sql`update erasing set last_seq = coalesce((select max(seq) from events
        where dealer_id = ${dealerId} and scope = erasing.group_id and seq <= erasing.last_seq), 0) where ${isMark}`,
    ...blanking(dealerId, marked, ERASING),
  ];
}

/** Vacuums after erasures. @returns what does: false where it is too early, and what is left waits for the next time */
export function vacuumingOf(pool: PostgresPool): () => Promise<boolean> {
  let at = Number.NEGATIVE_INFINITY;
  return async () => {
    if (performance.now() - at < VACUUM_PAUSE) return false;
    at = performance.now();
    await withPatientClient(pool, (client) => client.query(VACUUM));
    return true;
  };
}
