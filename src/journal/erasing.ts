/** [P-11.4] What erasing a conversation does to the tables, in SQL that both databases speak. */
import { type SQL, sql } from 'drizzle-orm';
import type { Digests } from './digests.ts';
import type { EventsWhere } from './reading.ts';
import type { Changes, Forgotten } from './store.ts';

/** Who an event of the desk's log is from, once its customer is forgotten. */
export const ERASED = 'erased';

/**
 * What stays of the desk's events, whose seqs must have no gap [P-8.2]: their type and time, of a group that is called
 * by the receipt's name, saying nothing.
 */
const BLANKS = {
  UPDATE_GROUP: { user: 'customer', online: false },
  UPDATE_USER: { message: {} },
  UPDATE_PAGEVIEW: { message: {} },
  UPDATE_LEAD: { message: {} },
  CREATE_LEAD_INTENT: { message: { intent: ERASED } },
  UPDATE_LEAD_INTENT: { message: { intent: ERASED } },
} as const;

/** The statements that carry a batch's erasures out, in order. */
export const erasing = ({ erasures, at }: Changes, { ofGroup }: EventsWhere, digests: Digests): SQL[] =>
  erasures.flatMap((each) => {
    const { dealerId, groupId } = each;
    return erase(each, ofGroup(dealerId, groupId), digests.of(dealerId, groupId), at);
  });

function erase(
  { dealerId, groupId, erasureId, reason, lastSeq }: Forgotten,
  inScope: SQL,
  digest: string,
  at: number,
): SQL[] {
  const ofGroup = sql`dealer_id = ${dealerId} and group_id = ${groupId}`;
  const onDesk = sql`${ofGroup} and scope = '@desk'`;
  const count = (from: SQL) => sql`(select count(*) from ${from})`;
  const blanks = Object.entries(BLANKS).map(([type, rest]) => {
    return sql`when ${type} then ${JSON.stringify({ type, dealerId, groupId: erasureId, ...rest })}`;
  });
  return [
    // First, while there is still something to be counted.
    sql`insert into erasures
      (dealer_id, erasure_id, digest, reason, last_seq, events, pageviews, users, leads, intents, at)
      values (${dealerId}, ${erasureId}, ${digest}, ${reason}, ${lastSeq},
        ${count(sql`events where ${inScope}`)},
        ${count(sql`events where ${onDesk} and type = 'UPDATE_PAGEVIEW'`)},
        ${count(sql`users where ${ofGroup}`)},
        ${count(sql`leads where ${ofGroup}`)},
        ${count(sql`lead_intents where ${ofGroup}`)}, ${at})`,
    sql`delete from events where ${inScope}`,
    sql`update events set id = ${`${erasureId}.`} || seq, keyed = ${sql.raw('false')}, sender = ${ERASED}, group_id = ${erasureId},
      payload = case type ${sql.join(blanks, sql` `)} else payload end where ${onDesk}`,
    sql`delete from users where ${ofGroup}`,
    sql`delete from leads where ${ofGroup}`,
    sql`delete from lead_intents where ${ofGroup}`,
    sql`delete from chats where dealer_id = ${dealerId} and place = ${groupId}`,
    sql`delete from presences where dealer_id = ${dealerId} and sender = ${`customer:${groupId}`}`,
    sql`delete from dead_letters where ${ofGroup}`,
    sql`delete from groups where ${ofGroup}`,
  ];
}
