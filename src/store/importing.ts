/** [P-20.1] Rows that an import keeps beside the batches that it commits. Each may be kept again: what is there stays. */
import { sql } from 'drizzle-orm';
import { type Digests, UNKNOWN_NAME } from './digests.ts';
import type { Receipt } from './erasures.ts';
import { DEAD } from './nodes.ts';
import type { SetAside } from './rows.ts';
import { type Database, inserted } from './sql.ts';

/** A conversation that had to give its name away, and how far it went by then. */
export interface Aside extends SetAside {
  readonly lastSeq: number;
}

export interface ImportStore {
  keepReceipts(dealerId: string, receipts: readonly Receipt[]): Promise<void>;
  /** Customers that were here: as those of a node that has died, whom the next server finds gone. */
  keepPresent(dealerId: string, groupIds: readonly string[]): Promise<void>;
  keepAside(asides: readonly Aside[]): Promise<void>;
}

/** The node that those were connected to who were there when an export was made. */
const EXPORTED_NODE = 'exported';

export const importsIn = ({ rows }: Database, digests: Digests): ImportStore => ({
  async keepReceipts(dealerId, receipts) {
    if (receipts.length === 0) return;
    const each = receipts.map(({ erasureId, reason, by, at, events, pageviews, users, leads, intents }) => ({
      dealer_id: dealerId,
      erasure_id: erasureId,
      digest: UNKNOWN_NAME,
      ...{ reason, by, events, pageviews, users, leads, intents, at },
    }));
    await rows(sql`insert into erasures ${inserted(each)} on conflict do nothing`);
  },

  async keepPresent(dealerId, groupIds) {
    if (groupIds.length === 0) return;
    const present = groupIds.map((groupId) => ({
      dealer_id: dealerId,
      sender: `customer:${groupId}`,
      node_id: EXPORTED_NODE,
      at: 0,
    }));
    await rows(sql`insert into nodes (node_id, seen_at) values (${EXPORTED_NODE}, ${DEAD}) on conflict do nothing`);
    await rows(sql`insert into presences ${inserted(present)} on conflict do nothing`);
  },

  async keepAside(asides) {
    for (const { dealerId, groupId, to, lastSeq } of asides) {
      const called = (name: string) => sql`dealer_id = ${dealerId} and group_id = ${name}`;
      await rows(
        sql`update groups set formerly = ${digests.of(dealerId, groupId)}, holder = 'claimed' where ${called(to)}`,
      );
      await rows(sql`update groups set begins_after = ${lastSeq}, holder = 'minted' where ${called(groupId)}`);
    }
  },
});
