/** Conversations as they stand, as people list them. */
import { type SQL, sql } from 'drizzle-orm';
import type { GroupFilter } from '../../schemas/reading.ts';
import type { Answering } from '../../schemas/waiting.ts';
import { MARK } from '../domain/waiting.ts';
import { after, type Bounds, beginningOf, type Mark, type Part } from './bounded.ts';
import type { Digests } from './digests.ts';
import { Readings } from './readings.ts';
import {
  all,
  before,
  CHANGED,
  changedAt,
  type Database,
  descending,
  list,
  type Row,
  textOrNull,
  texts,
  tuple,
  valuesOf,
} from './sql.ts';

/** A group as it stands. Times are ms since 1970. */
export interface BareGroup {
  readonly groupId: string;
  readonly online: boolean;
  readonly mutedBy: string | null;
  readonly closed: boolean;
  /** The one who closed it, where that is known [P-7.4]. */
  readonly closedBy: string | null;
  readonly unread: number;
  readonly seq: number;
  readonly adminRead: number;
  readonly customerRead: number;
  /** [P-12.1] Since when its customer waits for an answer, and whose; null: nobody waits. */
  readonly waitingSince: number | null;
  readonly waitingFor: Answering | null;
  /** [P-12.3] The admin whose it is; null: nobody's. */
  readonly assignee: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** [P-3.1] True where it had to give its name to a customer with a minted token. */
  readonly setAside: boolean;
}

/** A group with its last chat message. */
export interface KeptGroup extends BareGroup {
  /** The payload of the last `CHAT_MSG`, as JSON text. */
  readonly lastMessage: { readonly seq: number; readonly at: number; readonly payload: string } | null;
}

/** Groups that a list wants. */
export interface FoundGroups {
  readonly groups: KeptGroup[];
  /** The place up to which a search has found none, and behind which it goes on; null: it has found some, or there are none. */
  readonly lookedTo: Mark | null;
}

export interface GroupStore {
  /** A dealer's groups, those first that changed last. One call looks at so many of them and no more. */
  groups(dealerId: string, filter: GroupFilter, part: Part): Promise<FoundGroups>;
  /** Those of the groups named that a list wants, in no order. */
  groupsNamed(dealerId: string, filter: GroupFilter, groupIds: readonly string[]): Promise<KeptGroup[]>;
  /** The admins who have the groups named open, by group. */
  adminsIn(dealerId: string, groupIds: readonly string[]): Promise<Map<string, string[]>>;
  /** Groups by their names, after the one named. */
  groupsByName(dealerId: string, after: string, bounds: Bounds): Promise<BareGroup[]>;
  group(dealerId: string, groupId: string): Promise<KeptGroup | null>;
  /** [P-12.7] Says how far an admin has read in each of the groups named; nothing of those where nothing was read. */
  adminReads(dealerId: string, adminId: string, groupIds: readonly string[]): Promise<Map<string, number>>;
  /** Those of the groups named that there are. */
  existing(dealerId: string, groupIds: readonly string[]): Promise<Set<string>>;
  /** The conversation that had this name and was set aside; null where there is none. */
  setAside(dealerId: string, groupId: string): Promise<string | null>;
  /**
   * Groups without their customer in which nothing has happened since a time, in ms since 1970, and how far they go: the
   * longest first, after so many.
   */
  idleGroups(
    dealerId: string,
    since: number,
    part: { after?: number; limit: number },
  ): Promise<{ groupId: string; lastSeq: number }[]>;
}

const WORDS: readonly Answering[] = ['bot', 'admin'];

const bareGroupOfRow = (row: Row): BareGroup => ({
  groupId: String(row.group_id),
  online: Boolean(row.online),
  mutedBy: textOrNull(row.muted_by),
  closed: Boolean(row.closed),
  closedBy: textOrNull(row.closed_by),
  unread: Number(row.unread),
  seq: Number(row.last_seq),
  adminRead: Number(row.admin_read),
  customerRead: Number(row.customer_read),
  waitingSince: row.waiting_since === null ? null : Number(row.waiting_since),
  waitingFor: WORDS.find((each) => each === row.waiting_for) ?? null,
  assignee: textOrNull(row.assignee),
  createdAt: Number(row.created_at),
  updatedAt: Number(row.updated_at),
  setAside: row.formerly !== null,
});

const groupOfRow = (row: Row): KeptGroup => ({
  ...bareGroupOfRow(row),
  lastMessage:
    row.payload === null
      ? null
      : { seq: Number(row.last_message_seq), at: Number(row.message_at), payload: String(row.payload) },
});

/**
 * Groups that are looked at at a time for those that a list wants: where hardly any is, or none, the whole of a large dealer is gone
 * through, in so many parts.
 */
const LOOKED_AT = 1000;
/** Parts after which whoever asks is answered, and may ask for more: some 100 ms. */
const LOOKS = 10;

/** A flag that may be asked for: columns that are true or false are so in both databases by themselves. */
const flag = (condition: SQL, wanted: boolean | undefined): SQL | null =>
  wanted === undefined ? null : wanted ? condition : sql`not ${condition}`;

/** [P-12.6] Conditions for whose it is to answer. */
const WAITING: Readonly<Record<NonNullable<GroupFilter['waiting']>, SQL>> = {
  bot: sql`g.waiting_for = 'bot'`,
  admin: sql`g.waiting_for = 'admin'`,
  any: sql`g.waiting_since is not null`,
  none: sql`g.waiting_since is null`,
};

const ofAssignee = (assignee: string): SQL =>
  assignee === 'none' ? sql`g.assignee is null` : sql`g.assignee = ${assignee}`;

const conditionsOf = ({ open, muted, online, unread, waiting, overdue, assignee }: GroupFilter): SQL[] =>
  [
    waiting === undefined ? null : WAITING[waiting],
    flag(sql`(g.waiting_since is not null and (g.marks & ${sql.raw(String(MARK.bot | MARK.admin))}) > 0)`, overdue),
    assignee === undefined ? null : ofAssignee(assignee),
    flag(sql`g.closed`, open === undefined ? undefined : !open),
    flag(sql`g.muted`, muted),
    flag(sql`g.online`, online),
    flag(sql`(g.unread > 0)`, unread),
  ].filter((condition) => condition !== null);

const found = (groups: KeptGroup[]): FoundGroups => ({ groups, lookedTo: null });

export function groupsIn({ rows, dialect }: Database, digests: Digests): GroupStore {
  const columns = sql`g.*, m.payload, m.at as message_at`;
  const withMessage = (groups: SQL) => sql`${groups} left join events m on ${dialect.eventsWhere.isLastMessage}`;
  const from = withMessage(sql`groups g`);
  const order = [...CHANGED, sql`g.group_id`];
  const searches = new Readings(1, true);

  async function listed(groups: SQL, where: SQL, by: SQL, bounds: Bounds): Promise<KeptGroup[]> {
    const found = await rows(beginningOf({ columns, from: groups, where, order: by, texts: [sql`m.payload`] }, bounds));
    return found.map(groupOfRow);
  }

  /** So many groups, without those that were looked at. */
  const partOf = (where: SQL, skipped: number) =>
    withMessage(sql`(select g.* from groups g where ${where}
      order by ${descending(order)} limit ${LOOKED_AT} offset ${skipped}) as g`);

  /**
   * Looks through so many groups, as far as the first that is wanted. @returns those behind the last that it has looked at, by what its
   * row says, so that each look is further on than the one before; null: there are fewer
   */
  async function lookThrough(where: SQL, wanted: SQL) {
    const by = descending(order);
    const [last] = await rows(sql`select * from (
        select ${list(order)}, ${wanted} as is_wanted, row_number() over (order by ${by}) as place
        from groups g where ${where} order by ${by} limit ${LOOKED_AT}
      ) as part where is_wanted or place = ${LOOKED_AT} order by place limit 1`);
    if (!last) return null;
    const [minute, at, groupId] = [Number(last.updated_minute), Number(last.updated_at), String(last.group_id)];
    const lookedTo: Mark = { at, key: [groupId] };
    const behind = before(order, [minute, at, groupId]);
    return { isWanted: Boolean(last.is_wanted), passed: Number(last.place) - 1, behind, lookedTo };
  }

  /** [P-12.6] Those that wait, the longest first: all of them have a due, which an index has. */
  function longestWaiting(dealerId: string, wanted: readonly SQL[], mark: Part['after'], bounds: Bounds) {
    const order = [sql`g.waiting_since`, sql`g.group_id`];
    const behind = mark ? sql`${tuple(order)} > ${valuesOf([mark.at, ...mark.key])}` : null;
    const waits = sql`g.dealer_id = ${dealerId} and g.due is not null and g.waiting_since is not null`;
    return listed(from, all([waits, ...wanted, behind]), list(order), bounds);
  }

  return {
    async groups(dealerId, filter, { after: mark, ...bounds }) {
      const wanted = conditionsOf(filter);
      if (filter.order === 'waiting') return found(await longestWaiting(dealerId, wanted, mark, bounds));
      const stretch = (place: SQL | null) => all([sql`g.dealer_id = ${dealerId}`, place]);
      let where = stretch(after(order, mark, changedAt));
      if (wanted.length === 0) return found(await listed(from, where, descending(order), bounds));
      const read = (where: SQL, skipped: number) =>
        listed(partOf(where, skipped), all(wanted), descending(order), bounds);
      let groups = await read(where, 0);
      for (let looks = 1; groups.length === 0; looks += 1) {
        const looked = await searches.read(dealerId, () => lookThrough(where, all(wanted)));
        if (looked === null) break;
        if (looked.isWanted) groups = await read(where, looked.passed);
        else if (looks === LOOKS) return { groups, lookedTo: looked.lookedTo };
        where = stretch(looked.behind);
      }
      return found(groups);
    },

    async groupsNamed(dealerId, filter, groupIds) {
      const named = sql`g.dealer_id = ${dealerId} and g.group_id in (${texts(groupIds)})`;
      const found = await rows(sql`select ${columns} from ${from} where ${all([named, ...conditionsOf(filter)])}`);
      return found.map(groupOfRow);
    },

    async adminsIn(dealerId, groupIds) {
      if (groupIds.length === 0) return new Map();
      const found = await rows(sql`select place, admin_id from chats where dealer_id = ${dealerId}
        and ${dialect.isSet(sql`online`)} and place in (${texts(groupIds)}) order by place, admin_id`);
      const byGroup = Map.groupBy(found, ({ place }) => String(place));
      return new Map([...byGroup].map(([place, chats]) => [place, chats.map((chat) => String(chat.admin_id))]));
    },

    async groupsByName(dealerId, name, bounds) {
      const where = sql`dealer_id = ${dealerId} and group_id > ${name}`;
      const named = { columns: sql`*`, from: sql`groups`, where, order: sql`group_id`, texts: [] };
      return (await rows(beginningOf(named, bounds))).map(bareGroupOfRow);
    },

    async group(dealerId, groupId) {
      const [found] = await rows(
        sql`select ${columns} from ${from} where g.dealer_id = ${dealerId} and g.group_id = ${groupId}`,
      );
      return found ? groupOfRow(found) : null;
    },

    async adminReads(dealerId, adminId, groupIds) {
      if (groupIds.length === 0) return new Map();
      const found = await rows(sql`select group_id, seq from admin_reads
        where dealer_id = ${dealerId} and group_id in (${texts(groupIds)}) and admin_id = ${adminId}`);
      return new Map(found.map((row) => [String(row.group_id), Number(row.seq)]));
    },

    async existing(dealerId, groupIds) {
      if (groupIds.length === 0) return new Set();
      const found = await rows(
        sql`select group_id from groups where dealer_id = ${dealerId} and group_id in (${texts(groupIds)})`,
      );
      return new Set(found.map((row) => String(row.group_id)));
    },

    async setAside(dealerId, groupId) {
      const [found] = await rows(sql`select group_id from groups
        where dealer_id = ${dealerId} and formerly in (${texts(digests.all(dealerId, groupId))}) limit 1`);
      return found ? String(found.group_id) : null;
    },

    async idleGroups(dealerId, since, { after: skipped = 0, limit }) {
      const found = await rows(sql`select g.group_id, g.last_seq from groups g where g.dealer_id = ${dealerId}
        and ${before(CHANGED, changedAt(since))} and not g.online
        order by ${list(CHANGED)} limit ${limit} offset ${skipped}`);
      return found.map((row) => ({ groupId: String(row.group_id), lastSeq: Number(row.last_seq) }));
    },
  };
}
