/** [P-3.1] Giving a conversation another name in the tables, in SQL that both databases speak. */
import { type SQL, sql } from 'drizzle-orm';
import type { Digests } from './digests.ts';
import type { Changes, SetAside } from './rows.ts';
import type { EventsWhere } from './sql.ts';

/** The statements that carry out what a batch sets aside, in order, before anything else of it is written. */
export const settingAside = ({ setAside }: Changes, where: EventsWhere, digests: Digests): SQL[] =>
  setAside.flatMap((each) => statements(each, where, digests.of(each.dealerId, each.groupId)));

function statements({ dealerId, groupId, to }: SetAside, where: EventsWhere, formerly: string): SQL[] {
  const ofGroup = sql`dealer_id = ${dealerId} and group_id = ${groupId}`;
  const own = `customer:${groupId}`;
  // Ids are of characters that JSON has as they are, and a text has its quotes escaped. A record's own field of this name and value goes along.
  const member = (name: string) => `"groupId":${JSON.stringify(name)}`;
  const moved = sql`group_id = ${to}, sender = case sender when ${own} then ${`customer:${to}`} else sender end,
    payload = replace(payload, ${member(groupId)}, ${member(to)})`;
  const renamed = (table: string) => sql`update ${sql.raw(table)} set group_id = ${to} where ${ofGroup}`;
  return [
    sql`update events set ${moved} where ${ofGroup} and scope = '@desk'`,
    sql`update events set scope = ${to}, ${moved} where ${where.ofGroup(dealerId, groupId)}`,
    ...['users', 'leads', 'lead_intents', 'dead_letters', 'admin_reads'].map(renamed),
    sql`update chats set place = ${to} where dealer_id = ${dealerId} and place = ${groupId}`,
    // Nobody of it is here: its sockets are closed, and come back under the other name.
    sql`delete from presences where dealer_id = ${dealerId} and sender = ${own}`,
    sql`update groups set group_id = ${to}, formerly = ${formerly} where ${ofGroup}`,
  ];
}

/** Notes, in SQL, where what now has the name begins [P-3.6]. */
export const beginningAfter = ({ setAside, groups }: Changes): SQL[] =>
  setAside.map(({ dealerId, groupId, to }) => {
    const before = groups.get(`${dealerId}/${to}`)?.lastSeq ?? 0;
    return sql`update groups set begins_after = ${before} where dealer_id = ${dealerId} and group_id = ${groupId}`;
  });
