/** The rows of a batch, out of the file and into it, and what joins ask. */
import type { Database } from 'better-sqlite3';
import { DEALER_SCOPE, DESK_SCOPE } from '../../../schemas/table.ts';
import { type Group, NEW_RULES } from '../../domain/state.ts';
import type { Standing } from '../dealers.ts';
import type { Digests } from '../digests.ts';
import { type Changes, type DealerSeqs, keyParts, type Needs, type Rows, type RowTime } from '../rows.ts';
import { minuteOf } from '../sql.ts';
import { RowCache } from './cache.ts';
import { prepareLog } from './log.ts';
import { prepareReads } from './reads.ts';
import { flag, groupValues, prepareWrites } from './writes.ts';

export type Batches = ReturnType<typeof prepareBatches>;

export function prepareBatches(client: Database, digests: Digests) {
  const read = prepareReads(client, digests);
  const insert = prepareWrites(client);
  const cache = new RowCache(client);
  const log = prepareLog(client, cache);

  /** The rows that a batch needs, as they stand. @param withPriors whether keys are looked up before they are written */
  function load(needs: Needs, withPriors: boolean): Rows {
    cache.refresh();
    if (withPriors) for (const parts of needs.priors.values()) read.freeKey(parts);
    const openChats = found(needs.openChats, ([dealerId = '', adminId = '']) => read.openChats(dealerId, adminId));
    const groups = new Map(needs.groups);
    for (const [key, [dealerId = '']] of needs.openChats) {
      for (const scope of openChats.get(key) ?? []) groups.set(`${dealerId}/${scope}`, [dealerId, scope]);
    }
    const foundGroups = found(groups, ([dealerId = '', groupId = ''], key) =>
      cache.groups.get(key, () => read.group(dealerId, groupId)),
    );
    const missing = new Map([...groups].filter(([key]) => !foundGroups.has(key)));
    const dealers = found(needs.dealers, ([dealerId = '']) =>
      cache.dealers.get(dealerId, () => read.dealerSeqs(dealerId)),
    );
    return {
      removed: new Set(
        [...needs.dealers.keys()].filter((dealerId) => !dealers.has(dealerId) && read.removed(dealerId)),
      ),
      erased: found(missing, ([dealerId = '', groupId = '']) => read.erased(dealerId, groupId)),
      dealers,
      rules: found(needs.dealers, ([dealerId = '']) => cache.rules.get(dealerId, () => read.rules(dealerId))),
      present: found(needs.present, ([dealerId = '']) => read.present(dealerId)),
      groups: foundGroups,
      openChats,
      presences: found(needs.presences, ([dealerId = '', sender = '']) => read.presences(dealerId, sender)),
      users: found(needs.users, ([dealerId = '', groupId = '']) => read.user(dealerId, groupId)),
      leads: found(needs.leads, ([dealerId = '', groupId = '']) => read.lead(dealerId, groupId)),
      intents: found(needs.intents, ([dealerId = '', groupId = '', intent = '']) =>
        read.intent(dealerId, groupId, intent),
      ),
      intentCounts: found(needs.intentCounts, ([dealerId = '', groupId = '']) => read.intentCount(dealerId, groupId)),
      priors: withPriors ? found(needs.priors, read.prior) : new Map(),
      findPrior: read.prior,
    };
  }

  /** An event is written after the row of its scope, in which a trigger notes it. */
  function write(changes: Changes): void {
    const { chatPresences, arrivals, dealers, groups, users, leads, intents, events, at, times } = changes;
    for (const [dealerId, row] of dealers) insert.dealer(dealerId, row, at);
    const now: RowTime = { created: at, updated: at };
    for (const [key, row] of groups) {
      const { dealerId, groupId } = keyParts(key);
      const { created, updated } = times?.groups.get(key) ?? now;
      const minute = minuteOf(updated);
      const values = groupValues(row, updated);
      // A column that is written is written to its index, too, though it stays as it is.
      const before = cache.groups.peek(key);
      const isInPlace = before?.online === row.online && before.due === row.due && cache.minutes.peek(key) === minute;
      if (isInPlace) insert.groupInPlace.run(...values, dealerId, groupId);
      else insert.group.run(dealerId, groupId, created, flag(row.online), row.due, minute, ...values);
    }
    for (const event of events) log.append(event);
    for (const { dealerId, sender, nodeId, online } of arrivals) {
      if (online) insert.presence.run(dealerId, sender, nodeId, at);
      else insert.absence.run(dealerId, sender, nodeId);
    }
    for (const { dealerId, adminId, scope, online } of chatPresences)
      insert.chat.run(dealerId, adminId, scope, flag(online), at);
    for (const [dealerId, row] of changes.rules) insert.rules(dealerId, row);
    for (const [dealerId, spokeAt] of changes.botsSpoke) insert.botSpoke.run(spokeAt, dealerId);
    for (const { dealerId, groupId, adminId, seq } of changes.adminReads)
      insert.adminRead.run(dealerId, groupId, adminId, seq);
    for (const [key, row] of users) insert.record('users', key, row, times?.users.get(key) ?? now);
    for (const [key, row] of leads) insert.record('leads', key, row, times?.leads.get(key) ?? now);
    for (const [key, row] of intents) insert.intent(key, row, times?.intents.get(key) ?? now);
  }

  function dealer(dealerId: string): DealerSeqs | undefined {
    cache.refreshOnce();
    return cache.dealers.get(dealerId, () => read.dealerSeqs(dealerId));
  }

  function group(dealerId: string, groupId: string): Group | undefined {
    cache.refreshOnce();
    return cache.groups.get(`${dealerId}/${groupId}`, () => read.group(dealerId, groupId));
  }

  function standing(dealerId: string, groupId?: string): Standing {
    const seqs = dealer(dealerId);
    const doorway = seqs && cache.doorways.get(dealerId, () => read.doorway(dealerId));
    return {
      dealer: seqs && doorway ? { ...seqs, ...doorway } : null,
      rules: cache.rules.get(dealerId, () => read.rules(dealerId)) ?? NEW_RULES,
      group: (groupId !== undefined && group(dealerId, groupId)) || null,
      adminOnline: groupId !== undefined && read.adminOnline(dealerId),
    };
  }

  /** The seq of a scope's last event; 0: it has none. */
  function tail(dealerId: string, scope: string): number {
    if (scope === DEALER_SCOPE) return dealer(dealerId)?.dealerSeq ?? 0;
    if (scope === DESK_SCOPE) return dealer(dealerId)?.deskSeq ?? 0;
    return group(dealerId, scope)?.lastSeq ?? 0;
  }

  const tails = (dealerId: string, scopes: readonly string[]): Map<string, number> =>
    new Map(scopes.map((scope) => [scope, tail(dealerId, scope)]));

  /** The seqs of scopes' first events after some. What is not there was erased, and left a receipt, or was set aside. */
  function firstAfter(dealerId: string, seen: ReadonlyMap<string, number>): Map<string, number> {
    cache.refreshOnce();
    const found = [...seen].map(([scope, seq]) => {
      const first = Math.max(seq, read.erased(dealerId, scope) ?? 0, read.beginsAfter(dealerId, scope)) + 1;
      return [scope, first] as const;
    });
    return new Map(found.filter(([scope, first]) => first <= tail(dealerId, scope)));
  }

  return { cache, load, write, standing, tails, firstAfter, log, generation: read.generation };
}

function found<Row>(
  needs: Map<string, readonly string[]>,
  get: (parts: readonly string[], key: string) => Row | undefined,
): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const [key, parts] of needs) {
    const row = get(parts, key);
    if (row !== undefined) rows.set(key, row);
  }
  return rows;
}
