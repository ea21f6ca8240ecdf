/**
 * One batch, without a database: which rows it needs, and what its commands, decided each in turn, make of them.
 */
import type { Body } from '../../schemas/accepted.ts';
import type { Event } from '../../schemas/delivered.ts';
import type { Refusal } from '../../schemas/errors.ts';
import { DEALER_SCOPE, DELIVERIES, DESK_SCOPE, eventTypeOf, scopeOf } from '../../schemas/table.ts';
import { decide } from '../domain/decide.ts';
import type { Command, Decision, Erasure, Policy, State } from '../domain/state.ts';
import type { Changes, Needs, Prior, Rows, StoredEvent, Table } from './store.ts';

/** An event that has happened. `stored` is null for one that is only passed on [P-7]. */
export interface Happened {
  readonly dealerId: string;
  readonly groupId: string | null;
  readonly type: Event['type'];
  readonly payload: string;
  readonly stored: StoredEvent | null;
}

/** What an ack says of a stored event [P-8.1]. */
export interface Receipt {
  readonly id: string;
  readonly scope: string;
  readonly seq: number;
  readonly at: number;
  readonly duplicate: boolean;
}

/** What became of a command: its events, the last its own; null for a receipt where that one is not stored. */
export type Outcome =
  | { readonly happened: readonly Happened[]; readonly receipt: Receipt | null }
  | { readonly refusal: Refusal };

/** The world outside, as the batch is told it. */
export interface Circumstances {
  readonly policy: Policy;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** An id for an event whose sender gave none. */
  readonly newId: () => string;
  /** Told of a fault in deciding one command; the others go on. */
  readonly onFault: (fault: unknown, command: Command) => void;
}

const keyOf = (...parts: string[]): string => parts.join('/');

/** The rows that a command may touch, as parts of their keys by table. */
function rowsOf({ body, key, sender }: Command): { [T in Table]?: readonly string[] } {
  const { dealerId } = body;
  const groupId = 'groupId' in body ? body.groupId : undefined;
  const rows: { [T in Table]?: readonly string[] } = { dealers: [dealerId] };
  if (groupId !== undefined) rows.groups = [dealerId, groupId];
  switch (body.type) {
    case 'ADMIN_JOIN':
      rows.places = [dealerId, body.adminId];
      rows.presences = [dealerId, sender];
      return rows;
    case 'CLIENT_JOIN':
      rows.presences = [dealerId, sender];
      return rows;
    case 'ERASE_GROUP':
      return rows;
    case 'UPDATE_CHAT':
      if (body.user === 'admin') rows.places = [dealerId, body.adminId];
      break;
    case 'UPDATE_USER':
      rows.users = [dealerId, body.groupId];
      break;
    case 'UPDATE_LEAD':
      rows.leads = [dealerId, body.groupId];
      break;
    case 'CREATE_LEAD_INTENT':
    case 'UPDATE_LEAD_INTENT':
      rows.intents = [dealerId, body.groupId, body.message.intent];
  }
  const type = eventTypeOf(body);
  if (key !== null && DELIVERIES[type].stored) rows.priors = [dealerId, scopeOf(type, groupId), sender, key];
  return rows;
}

/** What is asked by nobody's payload: no event of its own type is stored for it. */
const isOwn = (body: Command['body']): body is Exclude<Command['body'], Body> =>
  body.type === 'CLIENT_JOIN' || body.type === 'ADMIN_JOIN' || body.type === 'ERASE_GROUP';

/** Whether the command's own event goes to a group's scope. */
function isInGroup({ body }: Command): boolean {
  if (isOwn(body)) return false;
  const groupId = 'groupId' in body ? body.groupId : undefined;
  return groupId !== undefined && scopeOf(eventTypeOf(body), groupId) === groupId;
}

const TABLES: readonly Table[] = ['dealers', 'groups', 'places', 'presences', 'users', 'leads', 'intents', 'priors'];

/** All rows that a batch of commands may touch. */
export function needsOf(commands: readonly Command[]): Needs {
  const needs: Needs = {
    dealers: new Map(),
    groups: new Map(),
    places: new Map(),
    presences: new Map(),
    users: new Map(),
    leads: new Map(),
    intents: new Map(),
    priors: new Map(),
    writtenDealers: new Set(),
  };
  for (const command of commands) {
    const rows = rowsOf(command);
    if (rows.places || !isInGroup(command)) needs.writtenDealers.add(command.body.dealerId);
    for (const table of TABLES) {
      const parts = rows[table];
      if (parts) needs[table].set(keyOf(...parts), parts);
    }
  }
  return needs;
}

/** The batch at work on its rows: they change command by command, and what changed is gathered to be written. */
class Batch {
  readonly changes: Changes;
  readonly #rows: Rows;
  readonly #told: Circumstances;

  constructor(rows: Rows, told: Circumstances) {
    this.#rows = rows;
    this.#told = told;
    this.changes = {
      events: [],
      moves: [],
      arrivals: [],
      erasures: [],
      dealers: new Map(),
      groups: new Map(),
      users: new Map(),
      leads: new Map(),
      intents: new Map(),
      at: told.now,
    };
  }

  run(command: Command): Outcome {
    const keys = rowsOf(command);
    const prior = keys.priors && this.#rows.priors.get(keyOf(...keys.priors));
    if (prior && command.key !== null) return this.#repeat(command, command.key, prior);
    const before = this.#stateOf(keys);
    const decision = this.#decide(before, command);
    if ('refusal' in decision) return decision;
    this.#keep(keys, before, decision.state);
    if (command.body.type === 'ERASE_GROUP') this.#forget(command.body, before);
    const happened = decision.events.map((event, index) =>
      this.#happen(event, command, index === decision.events.length - 1 ? command.key : null),
    );
    const own = happened.at(-1)?.stored ?? null;
    if (own && keys.priors) this.#rows.priors.set(keyOf(...keys.priors), own);
    return { happened, receipt: own && { ...receiptOf(own), duplicate: false } };
  }

  /** [P-8.4] The same id from the same sender in the same scope: stored once, acked again. */
  #repeat({ body }: Command, id: string, { seq, at }: Prior): Outcome {
    if (isOwn(body)) return { happened: [], receipt: null };
    const scope = scopeOf(eventTypeOf(body), 'groupId' in body ? body.groupId : undefined);
    return { happened: [], receipt: { id, scope, seq, at, duplicate: true } };
  }

  #decide(state: State, command: Command): Decision {
    try {
      return decide(state, command, this.#told.policy);
    } catch (fault) {
      this.#told.onFault(fault, command);
      return { refusal: { code: 'internal', message: 'this could not be decided; nothing was stored' } };
    }
  }

  #stateOf(keys: ReturnType<typeof rowsOf>): State {
    const row = <T extends Table>(table: T) => {
      const parts = keys[table];
      return parts && (this.#rows[table].get(keyOf(...parts)) as ReturnType<Rows[T]['get']>);
    };
    return {
      dealer: row('dealers') !== undefined,
      group: row('groups') ?? null,
      erased: this.#rows.erased.get(keyOf(...(keys.groups ?? []))) ?? null,
      places: row('places') ?? new Set(),
      nodes: row('presences') ?? new Set(),
      user: row('users') ?? null,
      lead: row('leads') ?? null,
      intent: row('intents') ?? null,
    };
  }

  /** Takes over what differs: in the rows, for the next command, and in the changes, to be written. */
  #keep(keys: ReturnType<typeof rowsOf>, before: State, after: State): void {
    const dealer = keys.dealers?.[0] ?? '';
    if (after.dealer && !before.dealer) this.#put('dealers', [dealer], { dealerSeq: 0, deskSeq: 0 });
    if (after.group && after.group !== before.group) this.#put('groups', keys.groups, after.group);
    if (after.user && after.user !== before.user) this.#put('users', keys.users, after.user);
    if (after.lead && after.lead !== before.lead) this.#put('leads', keys.leads, after.lead);
    if (after.intent && after.intent !== before.intent) this.#put('intents', keys.intents, after.intent);
    if (after.places !== before.places && keys.places) {
      const [, adminId = ''] = keys.places;
      this.#rows.places.set(keyOf(...keys.places), after.places);
      for (const [place, online] of differences(before.places, after.places)) {
        this.changes.moves.push({ dealerId: dealer, place, adminId, online });
      }
    }
    if (after.nodes !== before.nodes && keys.presences) {
      const [, sender = ''] = keys.presences;
      this.#rows.presences.set(keyOf(...keys.presences), after.nodes);
      for (const [nodeId, online] of differences(before.nodes, after.nodes)) {
        this.changes.arrivals.push({ dealerId: dealer, sender, nodeId, online });
      }
    }
  }

  #forget({ dealerId, groupId, erasureId, reason }: Erasure, { group }: State): void {
    this.changes.erasures.push({ dealerId, groupId, erasureId, reason, lastSeq: group?.lastSeq ?? 0 });
  }

  #put<T extends Exclude<Table, 'places' | 'presences' | 'priors'>>(
    table: T,
    parts: readonly string[] | undefined,
    row: NonNullable<ReturnType<Rows[T]['get']>>,
  ): void {
    const key = keyOf(...(parts ?? []));
    const maps: readonly Map<string, unknown>[] = [this.#rows[table], this.changes[table]];
    for (const map of maps) map.set(key, row);
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
      at: this.#told.now,
    };
    this.changes.events.push(stored);
    if (groupId !== null && scope === DESK_SCOPE) this.#touch(dealerId, groupId);
    return { dealerId, groupId, type, payload, stored };
  }

  /** Something is known of a group that its own scope does not tell: it has changed all the same. */
  #touch(dealerId: string, groupId: string): void {
    const group = this.#rows.groups.get(keyOf(dealerId, groupId));
    if (group) this.#put('groups', [dealerId, groupId], group);
  }

  /** [P-8.2] The next seq of a scope. */
  #next(type: Event['type'], dealerId: string, scope: string): number {
    if (scope === DEALER_SCOPE || scope === DESK_SCOPE) {
      const column = scope === DEALER_SCOPE ? 'dealerSeq' : 'deskSeq';
      const row = this.#rows.dealers.get(dealerId) ?? { dealerSeq: 0, deskSeq: 0 };
      const next = { ...row, [column]: row[column] + 1 };
      this.#put('dealers', [dealerId], next);
      return next[column];
    }
    const group = this.#rows.groups.get(keyOf(dealerId, scope));
    if (!group) throw new Error(`an event in the scope of a group that is not there: ${type}`);
    const lastSeq = group.lastSeq + 1;
    const lastMessageSeq = type === 'CHAT_MSG' ? lastSeq : group.lastMessageSeq;
    this.#put('groups', [dealerId, scope], { ...group, lastSeq, lastMessageSeq });
    return lastSeq;
  }
}

/** What has gone from a set (false) and what has come to it (true). */
function differences(before: ReadonlySet<string>, after: ReadonlySet<string>): [string, boolean][] {
  const gone = [...before].filter((each) => !after.has(each));
  const come = [...after].filter((each) => !before.has(each));
  return [
    ...gone.map((each): [string, boolean] => [each, false]),
    ...come.map((each): [string, boolean] => [each, true]),
  ];
}

const receiptOf = ({ id, scope, seq, at }: StoredEvent) => ({ id, scope, seq, at });

/** Decides each command in turn on the rows loaded: what to write, and what became of each. */
export function runBatch(
  rows: Rows,
  commands: readonly Command[],
  told: Circumstances,
): { changes: Changes; outcomes: Outcome[] } {
  const batch = new Batch(rows, told);
  const outcomes = commands.map((command) => batch.run(command));
  return { changes: batch.changes, outcomes };
}
