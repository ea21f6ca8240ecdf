/** What a store is given and gives back, made short to write. */

import type { Fields } from '../../schemas/records.ts';
import { DEALER_SCOPE, DESK_SCOPE } from '../../schemas/table.ts';
import { changed, type Group, type Known, NEW_GROUP } from '../../src/domain/state.ts';
import type { Standing } from '../../src/store/dealers.ts';
import type { Stretch } from '../../src/store/log.ts';
import {
  type Changes,
  type DealerSeqs,
  keyParts,
  type Needs,
  type Rows,
  type StoredEvent,
  type Table,
} from '../../src/store/rows.ts';
import type { Store } from '../../src/store/store.ts';

export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

/** Text that trips escaping, encodings and collations: quotes, NUL, lone surrogates, an astral character, SQL. */
export const ODD_TEXT =
  '"double" \'single\' `tick` back\\slash tab\t new\nline NUL\0 high\ud83d low\ude00 😀 \u2028 %_ $1 ? ; DROP';

export const groupRow = (more: Partial<Group> = {}): Group => ({ ...NEW_GROUP, ...more });

/** A record: all of it the dealer's word, unless some of it is said to be the customer's. */
export const known = (fields: Fields, customer: Fields = {}): Known => ({ fields, customer });

let ids = 0;

/** An event of a scope, as the journal would number it. */
export function eventRow(dealerId: string, scope: string, seq: number, more: Partial<StoredEvent> = {}): StoredEvent {
  return {
    dealerId,
    scope,
    seq,
    id: `made-${++ids}`,
    keyed: false,
    sender: `customer:${scope}`,
    type: 'CHAT_MSG',
    groupId: scope.startsWith('@') ? null : scope,
    payload: JSON.stringify({ type: 'CHAT_MSG', message: `${scope} ${seq}` }),
    at: NOW + seq,
    ...more,
  };
}

/** The first events of a scope, so many. */
export const eventRows = (dealerId: string, scope: string, count: number): StoredEvent[] =>
  Array.from({ length: count }, (_, index) => eventRow(dealerId, scope, index + 1));

type Plain = Partial<
  Pick<Changes, 'events' | 'chatPresences' | 'arrivals' | 'erasures' | 'adminReads' | 'setAside' | 'at'>
> & {
  readonly [T in 'rules' | 'dealers' | 'groups' | 'users' | 'leads' | 'intents']?: Readonly<
    Record<string, Changes[T] extends Map<string, infer Row> ? Row : never>
  >;
};

/** Changes, their rows written as an object by key. */
export const changesOf = ({
  events,
  chatPresences,
  arrivals,
  erasures,
  adminReads,
  setAside,
  at,
  rules,
  dealers,
  groups,
  users,
  leads,
  intents,
}: Plain): Changes => ({
  events: events ?? [],
  chatPresences: chatPresences ?? [],
  arrivals: arrivals ?? [],
  erasures: erasures ?? [],
  rules: new Map(Object.entries(rules ?? {})),
  botsSpoke: new Map(),
  adminReads: adminReads ?? [],
  setAside: setAside ?? [],
  revoked: [],
  dealers: new Map(Object.entries(dealers ?? {})),
  groups: new Map(Object.entries(groups ?? {})),
  users: new Map(Object.entries(users ?? {})),
  leads: new Map(Object.entries(leads ?? {})),
  intents: new Map(Object.entries(intents ?? {})),
  at: at ?? NOW,
});

type Keys = { readonly [T in Table]?: readonly (readonly string[])[] };

/** Needs, their keys written as lists of parts. @param written the dealers whose own scopes or open chats may be written */
export function needsFor(keys: Keys, written: readonly string[] = []): Needs {
  const by = (table: Table) => new Map((keys[table] ?? []).map((parts) => [parts.join('/'), parts]));
  return {
    dealers: by('dealers'),
    groups: by('groups'),
    openChats: by('openChats'),
    presences: by('presences'),
    users: by('users'),
    leads: by('leads'),
    intents: by('intents'),
    intentCounts: by('intentCounts'),
    present: by('present'),
    priors: by('priors'),
    writtenDealers: new Set(written),
  };
}

/** The needs of a batch that writes these changes: a row that is written was needed. */
function needsOfChanges({
  events,
  chatPresences,
  arrivals,
  rules,
  dealers,
  groups,
  users,
  leads,
  intents,
}: Changes): Needs {
  const parts = (rows: Map<string, unknown>) =>
    [...rows.keys()].map((key) => {
      const { dealerId, groupId, intent } = keyParts(key);
      return intent === '' ? [dealerId, groupId] : [dealerId, groupId, intent];
    });
  const keyed = events.filter((event) => event.keyed);
  const ofDealer = [
    ...dealers.keys(),
    ...rules.keys(),
    ...[...events, ...chatPresences, ...arrivals].map(({ dealerId }) => dealerId),
  ];
  return needsFor(
    {
      dealers: ofDealer.map((dealerId) => [dealerId]),
      groups: [...parts(groups), ...events.map(({ dealerId, scope }) => [dealerId, scope])],
      openChats: chatPresences.map(({ dealerId, adminId }) => [dealerId, adminId]),
      presences: arrivals.map(({ dealerId, sender }) => [dealerId, sender]),
      users: parts(users),
      leads: parts(leads),
      intents: parts(intents),
      priors: keyed.map(({ dealerId, scope, sender, id }) => [dealerId, scope, sender, id]),
    },
    ofDealer,
  );
}

/** The changes with a row for each scope of their events, as the journal writes it: where none was given, as it stood. */
function withScopes(changes: Changes, rows: Rows): Changes {
  const [dealers, groups] = [new Map(changes.dealers), new Map(changes.groups)];
  for (const { dealerId, scope, seq } of changes.events) {
    const key = `${dealerId}/${scope}`;
    if (scope === DEALER_SCOPE || scope === DESK_SCOPE) {
      const seqs = dealers.get(dealerId) ?? rows.dealers.get(dealerId) ?? seqsOf(0, 0);
      const column = scope === DEALER_SCOPE ? 'dealerSeq' : 'deskSeq';
      dealers.set(dealerId, changes.dealers.get(dealerId) ?? { ...seqs, [column]: seq });
    } else {
      const group = groups.get(key) ?? rows.groups.get(key) ?? NEW_GROUP;
      groups.set(key, changes.groups.get(key) ?? { ...group, lastSeq: seq });
    }
  }
  return { ...changes, dealers, groups };
}

/** Commits changes, whatever the rows are. */
export async function write(store: Store, plain: Plain): Promise<void> {
  const changes = changesOf(plain);
  await store.commit(needsOfChanges(changes), (rows) => withScopes(changes, rows));
}

/** The rows that a commit is handed for these keys; it changes nothing. */
export async function load(store: Store, keys: Keys): Promise<Rows> {
  const loaded: Rows[] = [];
  const needs = needsFor(keys);
  await store.commit(needs, (rows) => {
    for (const [key, parts] of needs.priors) {
      const prior = rows.findPrior(parts);
      if (prior) rows.priors.set(key, prior);
    }
    loaded.push(rows);
    return changesOf({});
  });
  const rows = loaded.at(-1);
  if (!rows) throw new Error('the commit was handed no rows');
  return rows;
}

export const seqsOf = (dealerSeq: number, deskSeq: number): DealerSeqs => ({ dealerSeq, deskSeq });

/** The seqs of a stretch of a scope's log. */
export async function readSeqs(
  store: Store,
  dealerId: string,
  scope: string,
  stretch: Partial<Stretch> = {},
): Promise<number[]> {
  const events = await store.events(dealerId, scope, { limit: 1000, ...stretch });
  return events.map(({ seq }) => seq);
}

/** A standing, as no more than its face says. */
export async function standingOf(store: Store, dealerId: string, groupId?: string): Promise<Omit<Standing, 'rules'>> {
  const { dealer, group, adminOnline } = await store.standing(dealerId, groupId);
  return {
    dealer: dealer && {
      dealerSeq: dealer.dealerSeq,
      deskSeq: dealer.deskSeq,
      origins: dealer.origins,
      claims: dealer.claims,
      groupKey: dealer.groupKey,
      groupKeyUntil: dealer.groupKeyUntil,
    },
    group: group && changed(group, {}),
    adminOnline,
  };
}
