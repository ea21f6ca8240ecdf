/** [P-20.1] Telle's own export, read back: rows as they were, each event at its seq. */

import { ERASED } from '../../schemas/events/kind.ts';
import type { Exported, ExportedKind } from '../../schemas/exported.ts';
import { EXPORTED } from '../../schemas/exported.ts';
import { DEALER_SCOPE, DESK_SCOPE, isEventType } from '../../schemas/table.ts';
import { changed, type Group, type Known, NEW_GROUP } from '../domain/state.ts';
import { checker } from '../protocol/checker.ts';
import type { Aside } from '../store/importing.ts';
import type { Changes, Needs, Rows, RowTime, StoredEvent } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { noChanges } from './batch.ts';
import { committed, type Verdict } from './recalling.ts';

/** The part of a store that an export is read back into. */
export type Kept = Pick<
  Store,
  'commit' | 'atOnce' | 'dealer' | 'putDealer' | 'events' | 'keepReceipts' | 'keepPresent' | 'keepAside'
>;

/** A line of an export, checked. */
export type OwnLine = { [Kind in ExportedKind]: { readonly kind: Kind; readonly row: Exported<Kind> } }[ExportedKind];

/** The rows of some kinds of line. */
type Of<Kind extends ExportedKind> = Extract<OwnLine, { kind: Kind }>;

const CHECKS = Object.fromEntries(Object.entries(EXPORTED).map(([kind, schema]) => [kind, checker(schema)]));

/** @throws RefusedError, or an error in words, where it is none */
export function ownLineOf(value: Readonly<Record<string, unknown>>): OwnLine {
  const kind = String(value.kind);
  const check = CHECKS[kind];
  if (check === undefined) throw new Error(`kind: expected one of ${Object.keys(EXPORTED).join(', ')}`);
  const { kind: _, ...rest } = value;
  // The check of a kind answers with a row of that kind; TypeScript cannot follow the pairing through an index.
  return { kind, row: check(rest) } as OwnLine;
}

const TABLES = { user: 'users', lead: 'leads', intent: 'intents' } as const;

/** Events of a scope that are read at a time, to be compared. */
const PAGE = 1000;

/** The rest of an event of the desk whose customer is forgotten is called by the receipt. */
const isBlank = ({ id, groupId, seq }: Exported<'event'>): boolean => id === `${groupId}.${seq}`;

function senderOf({ payload, groupId }: Exported<'event'>): string {
  if (payload.user === 'customer') return `customer:${groupId}`;
  return typeof payload.adminId === 'string' ? `admin:${payload.adminId}` : 'server:import';
}

/** The export of one dealer. */
export class ReadingBack {
  readonly dealerId: string;
  readonly #store: Kept;
  readonly #isTrial: boolean;
  /** Times of its groups: each batch that goes on with one says them again. */
  readonly #times = new Map<string, RowTime>();
  /** The ids that a stretch of a scope has, by seq. */
  #there: { scope: string; ids: ReadonlyMap<number, string>; until: number } | null = null;
  readonly #counts: Record<string, number> = {};
  /** True once its last line has come, which counts the others. */
  isWhole = false;

  private constructor(store: Kept, dealerId: string, isTrial: boolean) {
    this.#store = store;
    this.dealerId = dealerId;
    this.#isTrial = isTrial;
  }

  /** Begins with a dealer's own line: one that is there stays as it is. */
  static async begin(
    store: Kept,
    { dealerId, ...settings }: Exported<'dealer'>,
    isTrial: boolean,
  ): Promise<{ reading: ReadingBack; verdict: Verdict }> {
    const isThere = (await store.dealer(dealerId)) !== null;
    if (!isThere && !isTrial) await store.putDealer(dealerId, settings);
    return { reading: new ReadingBack(store, dealerId, isTrial), verdict: isThere ? 'repeated' : 'taken' };
  }

  /** Keeps lines in one transaction, and what they tell of beside it. */
  async keep(lines: readonly OwnLine[]): Promise<Verdict[]> {
    for (const { kind } of lines) this.#counts[kind] = (this.#counts[kind] ?? 0) + 1;
    const known = await this.#knownAmong(lines);
    let verdicts: Verdict[] = [];
    await committed(this.#store, this.#needsOf(lines), (rows) => {
      const page = new Page(this.dealerId, rows, this.#times);
      verdicts = lines.map((line) => known.get(line) ?? page.take(line, this.#isTrial));
      return this.#isTrial ? noChanges(0) : page.changes;
    });
    if (!this.#isTrial) await this.#keepBeside(lines);
    return verdicts.map((verdict, index) => (lines[index]?.kind === 'end' ? this.#end(lines[index]) : verdict));
  }

  #end({ row: { counts } }: Of<'end'>): Verdict {
    this.isWhole = true;
    const lacking = Object.keys(counts).find((kind) => counts[kind] !== this.#counts[kind]);
    if (lacking === undefined) return 'taken';
    return { reason: `the export had ${counts[lacking]} lines of ${lacking}, and ${this.#counts[lacking] ?? 0} came` };
  }

  /** Verdicts on events whose place in the log is taken, by this event or by another. */
  async #knownAmong(lines: readonly OwnLine[]): Promise<Map<OwnLine, Verdict>> {
    const known = new Map<OwnLine, Verdict>();
    for (const line of lines) {
      if (line.kind !== 'event') continue;
      const id = await this.#idAt(line.row);
      if (id === undefined) continue;
      const { scope, seq } = line.row;
      known.set(line, id === line.row.id ? 'repeated' : { reason: `${scope} has another event at ${seq}` });
    }
    return known;
  }

  async #idAt({ scope, seq }: Exported<'event'>): Promise<string | undefined> {
    if (this.#there?.scope !== scope || seq >= this.#there.until) {
      const found = await this.#store.events(this.dealerId, scope, { after: seq - 1, limit: PAGE });
      const ids = new Map(found.map((event) => [event.seq, event.id]));
      // Where there are fewer, nothing comes after them but what is kept by this.
      this.#there = {
        scope,
        ids,
        until: found.length < PAGE ? Number.MAX_SAFE_INTEGER : (found.at(-1)?.seq ?? seq) + 1,
      };
    }
    return this.#there.ids.get(seq);
  }

  #needsOf(lines: readonly OwnLine[]): Needs {
    const { dealerId } = this;
    const needs: Needs = {
      ...{ dealers: new Map([[dealerId, [dealerId]]]), groups: new Map(), users: new Map(), leads: new Map() },
      ...{ intents: new Map(), intentCounts: new Map(), openChats: new Map(), presences: new Map(), priors: new Map() },
      present: new Map(),
      writtenDealers: new Set([dealerId]),
    };
    for (const { kind, row } of lines) {
      if (kind === 'group') needs.groups.set(`${dealerId}/${row.groupId}`, [dealerId, row.groupId]);
      if (kind === 'user' || kind === 'lead')
        needs[TABLES[kind]].set(`${dealerId}/${row.groupId}`, [dealerId, row.groupId]);
      if (kind === 'intent')
        needs.intents.set(`${dealerId}/${row.groupId}/${row.intent}`, [dealerId, row.groupId, row.intent]);
      if (kind !== 'event') continue;
      if (!isOwnScope(row.scope)) needs.groups.set(`${dealerId}/${row.scope}`, [dealerId, row.scope]);
      const parts = [dealerId, row.scope, senderOf(row), row.id];
      needs.priors.set(parts.join('/'), parts);
    }
    return needs;
  }

  async #keepBeside(lines: readonly OwnLine[]): Promise<void> {
    const { dealerId } = this;
    const receipts = lines.flatMap((line) => (line.kind === 'erasure' ? [line.row] : []));
    const present = lines.flatMap((line) => (line.kind === 'group' && line.row.online ? [line.row.groupId] : []));
    await this.#store.keepReceipts(dealerId, receipts);
    await this.#store.keepPresent(dealerId, present);
    await this.#store.keepAside(lines.flatMap((line) => (line.kind === 'event' ? asideIn(dealerId, line.row) : [])));
  }
}

const isOwnScope = (scope: string): boolean => scope === DEALER_SCOPE || scope === DESK_SCOPE;

function asideIn(dealerId: string, { type, scope, seq, payload }: Exported<'event'>): Aside[] {
  if (type !== 'SET_ASIDE' || typeof payload.setAside !== 'string') return [];
  return [{ dealerId, groupId: scope, to: payload.setAside, lastSeq: seq - 1 }];
}

/** Some lines at work on the rows that they are about. */
class Page {
  readonly changes: Changes;
  readonly #dealerId: string;
  readonly #rows: Rows;
  readonly #groupTimes: Map<string, RowTime>;
  readonly #times = { groups: new Map(), users: new Map(), leads: new Map(), intents: new Map() };

  constructor(dealerId: string, rows: Rows, groupTimes: Map<string, RowTime>) {
    this.#dealerId = dealerId;
    this.#rows = rows;
    this.#groupTimes = groupTimes;
    this.changes = { ...noChanges(0), times: this.#times };
  }

  take(line: OwnLine, isTrial: boolean): Verdict {
    switch (line.kind) {
      case 'group':
        return this.#takeGroup(line.row);
      case 'user':
      case 'lead':
        return this.#takeRecord(TABLES[line.kind], `${this.#dealerId}/${line.row.groupId}`, line.row);
      case 'intent':
        return this.#takeRecord('intents', `${this.#dealerId}/${line.row.groupId}/${line.row.intent}`, line.row);
      case 'event':
        return this.#takeEvent(line.row, isTrial);
      default:
        return 'taken';
    }
  }

  #takeGroup({ groupId, createdAt, updatedAt, seq, ...row }: Exported<'group'>): Verdict {
    const key = `${this.#dealerId}/${groupId}`;
    this.#groupTimes.set(key, { created: createdAt, updated: updatedAt });
    if (this.#rows.erased.has(key)) return { reason: 'this conversation was erased here' };
    if (this.#rows.groups.has(key)) return 'repeated';
    // What is muted, or waits, is looked at soon [P-12].
    this.#put(key, changed(NEW_GROUP, { ...row, lastSeq: seq, actedAt: updatedAt, due: updatedAt }));
    return 'taken';
  }

  #put(key: string, group: Group): void {
    for (const map of [this.#rows.groups, this.changes.groups]) map.set(key, group);
    const time = this.#groupTimes.get(key);
    if (time) this.#times.groups.set(key, time);
  }

  #takeRecord(
    table: 'users' | 'leads' | 'intents',
    key: string,
    { fields, customer, createdAt, updatedAt }: Known & { readonly createdAt: number; readonly updatedAt: number },
  ): Verdict {
    if (this.#rows[table].has(key)) return 'repeated';
    this.changes[table].set(key, { fields, customer });
    this.#times[table].set(key, { created: createdAt, updated: updatedAt });
    return 'taken';
  }

  #takeEvent(row: Exported<'event'>, isTrial: boolean): Verdict {
    const { scope, seq, id, type, groupId, at, payload } = row;
    if (!isEventType(type)) return { reason: `type: there is no event ${type}` };
    if (isTrial) return 'taken';
    if (!this.#follows(scope, seq, type))
      return { reason: `its ${isOwnScope(scope) ? 'dealer' : 'group'} is not there` };
    const sender = isBlank(row) ? ERASED : senderOf(row);
    const parts = [this.#dealerId, scope, sender, id];
    const keyed = sender !== ERASED && !this.#rows.priors.has(parts.join('/')) && !this.#rows.findPrior(parts);
    const event: StoredEvent = {
      ...{ dealerId: this.#dealerId, scope, seq, id, keyed, sender, type, groupId, at },
      payload: JSON.stringify(payload),
    };
    this.#rows.priors.set(parts.join('/'), event);
    this.changes.events.push(event);
    return 'taken';
  }

  /** Notes in the row of a scope that it goes as far as this. @returns whether there is such a row */
  #follows(scope: string, seq: number, type: string): boolean {
    if (isOwnScope(scope)) {
      const seqs = this.#rows.dealers.get(this.#dealerId);
      if (!seqs) return false;
      const column = scope === DEALER_SCOPE ? 'dealerSeq' : 'deskSeq';
      const next = { ...seqs, [column]: Math.max(seqs[column], seq) };
      for (const map of [this.#rows.dealers, this.changes.dealers]) map.set(this.#dealerId, next);
      return true;
    }
    const key = `${this.#dealerId}/${scope}`;
    const group = this.#rows.groups.get(key);
    if (!group) return false;
    const last = type === 'CHAT_MSG' ? Math.max(group.lastMessageSeq, seq) : group.lastMessageSeq;
    this.#put(key, changed(group, { lastSeq: Math.max(group.lastSeq, seq), lastMessageSeq: last }));
    return true;
  }
}
