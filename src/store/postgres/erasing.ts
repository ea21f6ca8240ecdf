/** [P-11.4] Erasing on Postgres: a log by its seqs, and what updates leave behind by vacuuming. */
import { performance } from 'node:perf_hooks';
import { type SQL, sql } from 'drizzle-orm';
import type { Digests } from '../digests.ts';
import { blanking, type Erasing, lastErased, marking, PART } from '../erasing.ts';
import type { Changes, Marked } from '../rows.ts';
import { type PostgresPool, withPatientClient } from './pool.ts';

/** The least pause before a node vacuums again, in ms: each time goes through all that changed since the last. */
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
  ...changes.erasures.flatMap(partOf),
];

/** The statements that take the next part of a conversation that is marked. */
export const partOf = (marked: Marked): SQL[] => [
  sql`delete from events where dealer_id = ${marked.dealerId} and scope = ${marked.groupId} and seq in
    (select seq from events where ${inLog(marked)} order by seq desc limit ${PART})`,
  sql`update erasing set last_seq = coalesce((select max(seq) from events where ${inLog(marked)}), 0)
    where dealer_id = ${marked.dealerId} and erasure_id = ${marked.erasureId}`,
  ...blanking(marked),
];

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
