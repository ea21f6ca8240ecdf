/** A database of plain maps: it loads what a batch needs and no more, and takes what a batch changed. */
import { type Command, NEW_RULES, type Policy, type Rules } from '../../src/domain/state.ts';
import { type Outcome, planOf, runBatch } from '../../src/journal/batch.ts';
import type { Changes, Needs, PendingErasure, Rows, StoredEvent, Table } from '../../src/store/rows.ts';
import { NOW } from './rows.ts';

const TABLES: readonly Exclude<Table, 'openChats' | 'presences' | 'intentCounts' | 'present' | 'priors'>[] = [
  'dealers',
  'groups',
  'users',
  'leads',
  'intents',
];

type Kept = Omit<Rows, 'findPrior' | 'intentCounts' | 'present'>;

const emptyRows = (): Kept => ({
  dealers: new Map(),
  rules: new Map(),
  groups: new Map(),
  openChats: new Map(),
  presences: new Map(),
  users: new Map(),
  leads: new Map(),
  intents: new Map(),
  priors: new Map(),
  erased: new Map(),
  removed: new Set(),
});

function copyNeeded<Row>(from: Map<string, Row>, to: Map<string, Row>, keys: Iterable<string>): void {
  for (const key of keys) {
    const row = from.get(key);
    if (row !== undefined) to.set(key, row);
  }
}

function move(sets: Map<string, ReadonlySet<string>>, key: string, member: string, isIn: boolean): void {
  const members = new Set(sets.get(key));
  if (isIn) members.add(member);
  else members.delete(member);
  sets.set(key, members);
}

export class World {
  readonly rows = emptyRows();
  /** Every event that was not erased, in the order in which they happened. */
  log: StoredEvent[] = [];
  /** What could not be decided: a fault of the domain's. */
  readonly faults: unknown[] = [];
  #ids = 0;

  /** Runs commands as one batch. */
  run(commands: readonly Command[], policy: Policy = { autoMute: true }): Outcome[] {
    const plan = planOf(commands);
    const { changes, outcomes } = runBatch(this.#load(plan.needs), plan, {
      policy,
      now: NOW,
      newId: () => `made-${++this.#ids}`,
      onFault: (fault) => this.faults.push(fault),
    });
    this.#write(changes);
    return outcomes;
  }

  /** Runs commands in batches of these sizes, over and over; an erasure is a batch of its own, as the journal has it. */
  runInBatches(commands: readonly Command[], sizes: readonly number[], policy?: Policy): Outcome[] {
    const outcomes: Outcome[] = [];
    for (let from = 0, turn = 0; from < commands.length; turn += 1) {
      const size = sizes[turn % sizes.length] ?? 1;
      const batch = commands.slice(from, from + size);
      const erasure = batch.findIndex(({ body }) => body.type === 'ERASE_GROUP');
      if (erasure >= 0) batch.length = Math.max(erasure, 1);
      outcomes.push(...this.run(batch, policy));
      from += batch.length;
    }
    return outcomes;
  }

  #load(needs: Needs): Rows {
    const loaded = emptyRows();
    for (const table of TABLES) this.#copy(loaded, table, needs[table].keys());
    copyNeeded(this.rows.rules, loaded.rules, needs.dealers.keys());
    copyNeeded(this.rows.priors, loaded.priors, needs.priors.keys());
    copyNeeded(this.rows.presences, loaded.presences, needs.presences.keys());
    const missing = [...needs.groups.keys()].filter((key) => !this.rows.groups.has(key));
    copyNeeded(this.rows.erased, loaded.erased, missing);
    for (const [key, [dealerId = '']] of needs.openChats) {
      const openChats = new Set(this.rows.openChats.get(key));
      loaded.openChats.set(key, openChats);
      this.#copy(
        loaded,
        'groups',
        [...openChats].map((scope) => `${dealerId}/${scope}`),
      );
    }
    const intentCounts = new Map([...needs.intentCounts.keys()].map((key) => [key, this.#intentsOf(key)]));
    const present = new Map([...needs.present.keys()].map((dealerId) => [dealerId, this.#presentAt(dealerId)]));
    return { ...loaded, intentCounts, present, findPrior: (parts) => this.rows.priors.get(parts.join('/')) };
  }

  #presentAt(dealerId: string): number {
    return [...this.rows.openChats].filter(([key, open]) => key.startsWith(`${dealerId}/`) && open.has('@desk')).length;
  }

  /** Changes a dealer's rules, as settings or a batch do. */
  #rule(dealerId: string, change: Partial<Rules>): void {
    this.rows.rules.set(dealerId, { ...(this.rows.rules.get(dealerId) ?? NEW_RULES), ...change });
  }

  #intentsOf(group: string): number {
    return [...this.rows.intents.keys()].filter((key) => key.startsWith(`${group}/`)).length;
  }

  #copy(to: Kept, table: (typeof TABLES)[number], keys: Iterable<string>): void {
    copyNeeded<unknown>(this.rows[table], to[table], keys);
  }

  #write(changes: Changes): void {
    for (const table of TABLES) copyNeeded<unknown>(changes[table], this.rows[table], changes[table].keys());
    for (const { dealerId, adminId, scope, online } of changes.chatPresences) {
      move(this.rows.openChats, `${dealerId}/${adminId}`, scope, online);
    }
    for (const { dealerId, sender, nodeId, online } of changes.arrivals) {
      move(this.rows.presences, `${dealerId}/${sender}`, nodeId, online);
    }
    for (const [dealerId, change] of changes.rules) this.#rule(dealerId, change);
    for (const [dealerId, botSpokeAt] of changes.botsSpoke) this.#rule(dealerId, { botSpokeAt });
    for (const event of changes.events) {
      this.log.push(event);
      const { dealerId, scope, sender, id, seq, at, keyed } = event;
      if (keyed) this.rows.priors.set([dealerId, scope, sender, id].join('/'), { seq, at });
    }
    for (const erasure of changes.erasures) this.#erase(erasure);
  }

  /** What was said in the group goes, and what the desk was told of it is no longer of it [P-11.4]. */
  #erase({ dealerId, groupId, lastSeq }: PendingErasure): void {
    const key = `${dealerId}/${groupId}`;
    const { rows } = this;
    for (const table of [rows.groups, rows.users, rows.leads]) table.delete(key);
    for (const intent of rows.intents.keys()) if (intent.startsWith(`${key}/`)) rows.intents.delete(intent);
    for (const [admin, openChats] of rows.openChats) {
      if (admin.startsWith(`${dealerId}/`) && openChats.has(groupId)) move(rows.openChats, admin, groupId, false);
    }
    rows.presences.delete(`${dealerId}/customer:${groupId}`);
    rows.erased.set(key, lastSeq);
    const isOfGroup = (event: StoredEvent) => event.dealerId === dealerId && event.groupId === groupId;
    for (const { scope, sender, id } of this.log.filter(isOfGroup)) {
      rows.priors.delete([dealerId, scope, sender, id].join('/'));
    }
    this.log = this.log
      .filter((event) => !(isOfGroup(event) && event.scope === groupId))
      .map((event) => (isOfGroup(event) ? { ...event, keyed: false, sender: 'erased', groupId: null } : event));
  }
}
