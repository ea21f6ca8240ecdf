/**
 * One batch, without a database: which rows it needs, and what its commands, decided each in turn, make of them.
 */
import type { Body } from '../../schemas/accepted.ts';
import type { Event } from '../../schemas/delivered.ts';
import type { Refusal } from '../../schemas/errors.ts';
import { ACCEPTED, DEALER_SCOPE, DELIVERIES, DESK_SCOPE, eventTypeOf, scopeOf } from '../../schemas/table.ts';
import { decide } from '../domain/decide.ts';
import { weightOfUpdate } from '../domain/size.ts';
import {
  type Command,
  changed,
  type Decision,
  type Erasure,
  NEW_RULES,
  type Policy,
  type Rules,
  type State,
} from '../domain/state.ts';
import type { StoredAt } from '../protocol/encode.ts';
import type { Changes, Needs, Prior, Rows, RowTime, RowTimes, StoredEvent, Table } from '../store/rows.ts';

/** An event that has happened. `stored` is null for one that is only passed on [P-7]. */
export interface Happened {
  readonly dealerId: string;
  readonly groupId: string | null;
  readonly type: Event['type'];
  readonly payload: string;
  readonly stored: StoredEvent | null;
}

/** Ack of a stored event [P-8.1]. */
export interface Ack extends StoredAt {
  readonly id: string;
}

/** Outcome of a command: its events, the last its own; its ack null where that one is not stored. */
export type Outcome = (
  | { readonly happened: readonly Happened[]; readonly ack: Ack | null }
  | { readonly refusal: Refusal }
) & {
  /** Its work, in bytes, where its length does not say: of an update of a record, taken or refused. */
  readonly weight?: number;
};

/** The world outside, as the batch is told it. */
interface Circumstances {
  readonly policy: Policy;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** An id for an event whose sender gave none. */
  readonly newId: () => string;
  /** Decides: as the protocol's rules say, unless something else is given. */
  readonly decide?: typeof decide;
  /** Told of a fault in deciding one command; the others go on. */
  readonly onFault: (fault: unknown, command: Command) => void;
}

/** The way to find a row: its key, and the parts of it. */
interface RowKey {
  readonly key: string;
  readonly parts: readonly string[];
}

const rowKey = (...parts: readonly string[]): RowKey => ({ key: parts.join('/'), parts });

/** The rows that a command may touch, by table. */
type Touched = { dealers: RowKey } & { -readonly [T in Table]?: RowKey };

/** Tables in which a kind of event may touch a row besides its dealer's and its group's. */
const BESIDES = ['openChats', 'users', 'leads', 'intents', 'intentCounts'] as const satisfies readonly Table[];

function touchedBy({ body, key, sender }: Command): Touched {
  const { dealerId } = body;
  const groupId = 'groupId' in body ? body.groupId : undefined;
  const rows: Touched = { dealers: { key: dealerId, parts: [dealerId] } };
  if (groupId !== undefined) rows.groups = rowKey(dealerId, groupId);
  switch (body.type) {
    case 'ADMIN_JOIN':
      rows.openChats = rowKey(dealerId, body.adminId);
      rows.present = rows.dealers;
      rows.presences = rowKey(dealerId, sender);
      return rows;
    case 'CLIENT_JOIN':
    case 'SERVER_JOIN':
      rows.presences = rowKey(dealerId, sender);
      return rows;
    case 'LAPSE_GROUP':
      rows.presences = rowKey(dealerId, `customer:${body.groupId}`);
      return rows;
    case 'WAKE_GROUP':
    case 'WAKE_DEALER':
      rows.present = rows.dealers;
      return rows;
    case 'ERASE_GROUP':
      return rows;
  }
  const besides = ACCEPTED.get(body.type)?.rows?.(body);
  for (const table of BESIDES) {
    const parts = besides?.[table];
    if (parts) rows[table] = rowKey(dealerId, ...parts);
  }
  if (rows.openChats) rows.present = rows.dealers;
  const type = eventTypeOf(body);
  if (key !== null && DELIVERIES[type].stored) rows.priors = rowKey(dealerId, scopeOf(type, groupId), sender, key);
  return rows;
}

const SERVERS_OWN: ReadonlySet<string> = new Set([
  'CLIENT_JOIN',
  'ADMIN_JOIN',
  'SERVER_JOIN',
  'ERASE_GROUP',
  'LAPSE_GROUP',
  'WAKE_GROUP',
]);

/** Tells a command that is nobody's payload: no event of its own type is stored for it. */
const isServersOwn = (body: Command['body']): body is Exclude<Command['body'], Body> => SERVERS_OWN.has(body.type);

/** Tells whether it is an update of a record. */
const isMerged = ({ type }: Command['body']): boolean => ACCEPTED.get(type)?.merges === true;

/** Tells whether the command's own event goes to a group's scope. */
function isInGroup({ body }: Command): boolean {
  if (isServersOwn(body)) return false;
  const groupId = 'groupId' in body ? body.groupId : undefined;
  return groupId !== undefined && scopeOf(eventTypeOf(body), groupId) === groupId;
}

const TABLES: readonly Table[] = [
  'dealers',
  'groups',
  'openChats',
  'presences',
  'users',
  'leads',
  'intents',
  'intentCounts',
  'present',
  'priors',
];

/** The work of one transaction, before its rows are there: the commands, and what each touches. */
interface Plan {
  readonly steps: readonly { readonly command: Command; readonly touched: Touched }[];
  readonly needs: Needs;
}

/** All rows that a batch of commands may touch. */
export function planOf(commands: readonly Command[]): Plan {
  const needs: Needs = {
    dealers: new Map(),
    groups: new Map(),
    openChats: new Map(),
    presences: new Map(),
    users: new Map(),
    leads: new Map(),
    intents: new Map(),
    intentCounts: new Map(),
    present: new Map(),
    priors: new Map(),
    writtenDealers: new Set(),
  };
  const steps = commands.map((command) => ({ command, touched: touchedBy(command) }));
  for (const { command, touched } of steps) {
    if (touched.openChats || !isInGroup(command)) needs.writtenDealers.add(command.body.dealerId);
    for (const table of TABLES) {
      const row = touched[table];
      if (row) needs[table].set(row.key, row.parts);
    }
  }
  return { steps, needs };
}

/** Changes to which nothing has been added yet. @param at ms since 1970 */
export const noChanges = (at: number): Changes => ({
  events: [],
  chatPresences: [],
  arrivals: [],
  rules: new Map(),
  botsSpoke: new Map(),
  adminReads: [],
  erasures: [],
  setAside: [],
  revoked: [],
  dealers: new Map(),
  groups: new Map(),
  users: new Map(),
  leads: new Map(),
  intents: new Map(),
  at,
});

/** The batch at work on its rows: they change command by command, and what changed is gathered to be written. */
class Batch {
  readonly changes: Changes;
  readonly #rows: Rows;
  readonly #told: Circumstances;
  readonly #times = { groups: new Map(), users: new Map(), leads: new Map(), intents: new Map() } satisfies RowTimes;
  /** When the command was that is being run, where it is of the past. */
  #at: number | undefined;

  constructor(rows: Rows, told: Circumstances) {
    this.#rows = rows;
    this.#told = told;
    this.changes = { ...noChanges(told.now), times: this.#times };
  }

  run(command: Command, touched: Touched): Outcome {
    this.#at = command.at;
    const outcome = this.#run(command, touched);
    const { body } = command;
    if (!('message' in body) || typeof body.message === 'string' || !isMerged(body)) return outcome;
    const { users, leads, intents } = touched;
    const record = row(this.#rows.users, users) ?? row(this.#rows.leads, leads) ?? row(this.#rows.intents, intents);
    return { ...outcome, weight: weightOfUpdate(body.message, record ? [record.fields, record.customer] : []) };
  }

  #run(command: Command, touched: Touched): Outcome {
    const { priors } = touched;
    const prior = priors && this.#rows.priors.get(priors.key);
    if (prior) return this.#repeat(command, prior);
    const before = this.#stateOf(touched);
    const decision = this.#decide(before, command);
    if ('refusal' in decision) {
      // What was stored once is acked again, though it would be refused now.
      const found = priors && this.#rows.findPrior(priors.parts);
      return found ? this.#repeat(command, found) : decision;
    }
    if (decision.setAside !== undefined && !this.#setAside(touched, before, decision.setAside)) {
      return { refusal: { code: 'unavailable', message: 'this conversation is being written to: try again' } };
    }
    this.#keep(touched, before, decision.state);
    if (command.body.type === 'READ') this.#read(command.body);
    if (command.body.type === 'ERASE_GROUP') this.#erase(command.body, command.sender, before);
    if (decision.revoked && touched.groups) this.#revoke(touched.groups);
    const happened = decision.events.map((event, index) =>
      this.#happen(event, command, index === decision.events.length - 1 ? command.key : null),
    );
    const own = happened.at(-1)?.stored ?? null;
    if (own && priors) this.#rows.priors.set(priors.key, own);
    return { happened, ack: own && ackOf(own) };
  }

  /** [P-8.4] The same id from the same sender in the same scope: stored once, acked again. */
  #repeat({ body, key: id }: Command, { seq, at }: Prior): Outcome {
    if (isServersOwn(body) || id === null) return { happened: [], ack: null };
    const scope = scopeOf(eventTypeOf(body), 'groupId' in body ? body.groupId : undefined);
    return { happened: [], ack: { id, scope, seq, at, duplicate: true } };
  }

  #decide(state: State, command: Command): Decision {
    try {
      return (this.#told.decide ?? decide)(state, command, this.#told.policy);
    } catch (fault) {
      this.#told.onFault(fault, command);
      return { refusal: { code: 'internal', message: 'this could not be decided; nothing was stored' } };
    }
  }

  #stateOf({ dealers, groups, openChats, present, presences, users, leads, intents, intentCounts }: Touched): State {
    const rows = this.#rows;
    return {
      at: this.#at ?? this.#told.now,
      rules: row(rows.rules, dealers) ?? NEW_RULES,
      dealer: row(rows.dealers, dealers) !== null,
      removed: rows.removed.has(dealers.key),
      group: row(rows.groups, groups),
      erased: row(rows.erased, groups),
      openChats: row(rows.openChats, openChats) ?? NONE,
      present: row(rows.present, present) ?? 0,
      nodes: row(rows.presences, presences) ?? NONE,
      user: row(rows.users, users),
      lead: row(rows.leads, leads),
      intent: row(rows.intents, intents),
      intents: row(rows.intentCounts, intentCounts) ?? 0,
    };
  }

  /** Takes over what differs: in the rows, for the next command, and in the changes, to be written. */
  #keep(touched: Touched, before: State, after: State): void {
    const dealer = touched.dealers.key;
    if (after.dealer && !before.dealer) this.#put('dealers', dealer, { dealerSeq: 0, deskSeq: 0 });
    if (after.rules !== before.rules) this.#rule(dealer, before.rules, after.rules);
    if (after.group && after.group !== before.group) this.#put('groups', touched.groups?.key, after.group);
    if (after.user && after.user !== before.user) this.#put('users', touched.users?.key, after.user);
    if (after.lead && after.lead !== before.lead) this.#put('leads', touched.leads?.key, after.lead);
    if (after.intent && after.intent !== before.intent) this.#put('intents', touched.intents?.key, after.intent);
    if (after.intents !== before.intents && touched.intentCounts) {
      this.#rows.intentCounts.set(touched.intentCounts.key, after.intents);
    }
    if (after.openChats !== before.openChats && touched.openChats) {
      const [, adminId = ''] = touched.openChats.parts;
      this.#rows.openChats.set(touched.openChats.key, after.openChats);
      for (const [scope, online] of differences(before.openChats, after.openChats)) {
        this.changes.chatPresences.push({ dealerId: dealer, scope, adminId, online });
        if (scope === DESK_SCOPE) this.#rows.present.set(dealer, before.present + (online ? 1 : -1));
      }
    }
    if (after.nodes !== before.nodes && touched.presences) {
      const [, sender = ''] = touched.presences.parts;
      this.#rows.presences.set(touched.presences.key, after.nodes);
      for (const [nodeId, online] of differences(before.nodes, after.nodes)) {
        this.changes.arrivals.push({ dealerId: dealer, sender, nodeId, online });
      }
    }
  }

  /** A bot that spoke is noted apart: its dealer's row may not be locked. */
  #rule(dealer: string, before: Rules, after: Rules): void {
    this.#rows.rules.set(dealer, after);
    if (after.botSpokeAt !== before.botSpokeAt) this.changes.botsSpoke.set(dealer, after.botSpokeAt);
    const { aloneSince, isOpen, lookAt } = after;
    const isSame = aloneSince === before.aloneSince && isOpen === before.isOpen && lookAt === before.lookAt;
    if (!isSame) this.changes.rules.set(dealer, { aloneSince, isOpen, lookAt });
  }

  /**
   * Gives a conversation another name, before anything else of the batch is written.
   * @returns whether it could: what the batch has made of it so far would go to the new one of the old name
   */
  #setAside({ groups: at }: Touched, { group }: State, to: string): boolean {
    if (!at || !group || this.changes.groups.has(at.key)) return false;
    const [dealerId = '', groupId = ''] = at.parts;
    this.changes.setAside.push({ dealerId, groupId, to });
    for (const table of OF_GROUP) {
      for (const key of this.#rows[table].keys()) {
        if (key === at.key || key.startsWith(`${at.key}/`)) this.#rows[table].delete(key);
      }
    }
    this.#put('groups', `${dealerId}/${to}`, changed(group, { online: false }));
    return true;
  }

  /** [P-12.7] Keeps for each admin how far it has read. */
  #read({ dealerId, groupId, adminId, user, seq }: Extract<Body, { type: 'READ' }>): void {
    if (user === 'admin' && adminId !== undefined) this.changes.adminReads.push({ dealerId, groupId, adminId, seq });
  }

  #revoke({ parts: [dealerId = '', groupId = ''] }: RowKey): void {
    this.changes.revoked.push({ dealerId, groupId });
  }

  #erase({ dealerId, groupId, erasureId, reason }: Erasure, by: string, { group }: State): void {
    this.changes.erasures.push({ dealerId, groupId, erasureId, reason, by, lastSeq: group?.lastSeq ?? 0 });
    this.#rows.groups.delete(`${dealerId}/${groupId}`);
  }

  #put<T extends Exclude<Table, 'openChats' | 'presences' | 'intentCounts' | 'present' | 'priors'>>(
    table: T,
    key = '',
    row: NonNullable<ReturnType<Rows[T]['get']>>,
  ): void {
    const maps: readonly Map<string, unknown>[] = [this.#rows[table], this.changes[table]];
    for (const map of maps) map.set(key, row);
    if (this.#at !== undefined && table !== 'dealers') this.#time(table, key, this.#at);
  }

  #time(table: keyof RowTimes, key: string, at: number): void {
    const times: Map<string, RowTime> = this.#times[table];
    times.set(key, { created: times.get(key)?.created ?? at, updated: at });
  }

  #happen(event: Event, command: Command, key: string | null): Happened {
    const { type, dealerId } = event;
    const groupId = 'groupId' in event && event.groupId !== undefined ? event.groupId : null;
    const payload = JSON.stringify(event);
    if (!DELIVERIES[type].stored) return { dealerId, groupId, type, payload, stored: null };
    const scope = scopeOf(type, groupId ?? undefined);
    const stored: StoredEvent = {
      dealerId,
      scope,
      seq: this.#next(type, dealerId, scope),
      id: key ?? this.#told.newId(),
      keyed: key !== null,
      sender: command.sender,
      type,
      groupId,
      payload,
      at: this.#at ?? this.#told.now,
    };
    this.changes.events.push(stored);
    if (groupId !== null && scope === DESK_SCOPE) this.#touch(dealerId, groupId);
    return { dealerId, groupId, type, payload, stored };
  }

  /** Something is known of a group that its own scope does not tell: it has changed all the same. */
  #touch(dealerId: string, groupId: string): void {
    const key = `${dealerId}/${groupId}`;
    const group = this.#rows.groups.get(key);
    if (group) this.#put('groups', key, group);
  }

  /** [P-8.2] The next seq of a scope. */
  #next(type: Event['type'], dealerId: string, scope: string): number {
    if (scope === DEALER_SCOPE || scope === DESK_SCOPE) {
      const column = scope === DEALER_SCOPE ? 'dealerSeq' : 'deskSeq';
      const row = this.#rows.dealers.get(dealerId) ?? { dealerSeq: 0, deskSeq: 0 };
      const next = { ...row, [column]: row[column] + 1 };
      this.#put('dealers', dealerId, next);
      return next[column];
    }
    const key = `${dealerId}/${scope}`;
    const group = this.#rows.groups.get(key);
    if (!group) throw new Error(`an event in the scope of a group that is not there: ${type}`);
    const lastSeq = group.lastSeq + 1;
    const lastMessageSeq = type === 'CHAT_MSG' ? lastSeq : group.lastMessageSeq;
    this.#put('groups', key, changed(group, { lastSeq, lastMessageSeq }));
    return lastSeq;
  }
}

const NONE: ReadonlySet<string> = new Set();

/** Tables whose rows are a group's, and what its customer's ids are known by. */
const OF_GROUP = ['users', 'leads', 'intents', 'priors'] as const;

const row = <Row>(rows: ReadonlyMap<string, Row>, at: RowKey | undefined): Row | null =>
  (at && rows.get(at.key)) ?? null;

/** Members that have gone from a set (false) and those that have come to it (true). */
function differences(before: ReadonlySet<string>, after: ReadonlySet<string>): [string, boolean][] {
  const gone = [...before].filter((each) => !after.has(each));
  const come = [...after].filter((each) => !before.has(each));
  return [
    ...gone.map((each): [string, boolean] => [each, false]),
    ...come.map((each): [string, boolean] => [each, true]),
  ];
}

const ackOf = ({ id, scope, seq, at }: StoredEvent): Ack => ({ id, scope, seq, at, duplicate: false });

/** Decides each command in turn on the rows loaded: what to write, and what became of each. */
export function runBatch(rows: Rows, { steps }: Plan, told: Circumstances): { changes: Changes; outcomes: Outcome[] } {
  const batch = new Batch(rows, told);
  const outcomes = steps.map(({ command, touched }) => batch.run(command, touched));
  return { changes: batch.changes, outcomes };
}
