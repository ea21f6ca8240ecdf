/**
 * The log of the embedded database. Every event has the position of the one before it in its scope, and a scope's row that
 * of its last; one event in 32 is in an index by seq. An index with all of them would cost more than all else that is
 * written for a message: each is of another scope, and so in another page. That no seq comes twice, triggers see to.
 */
import type { Database } from 'better-sqlite3';
import { type SQL, sql } from 'drizzle-orm';
import { IS_MILESTONE } from '../../../drizzle/sqlite/schema.ts';
import { DEALER_SCOPE, DESK_SCOPE } from '../../../schemas/table.ts';
import type { Bounds } from '../bounded.ts';
import { blank } from '../erasing.ts';
import type { KeptEvent, Position, Stretch } from '../log.ts';
import type { StoredEvent } from '../rows.ts';
import type { EventsWhere } from '../sql.ts';
import type { RowCache } from './cache.ts';

/** Scopes that are looked at at a time, and the time that is taken for it, in ms: everybody else waits as long. */
const SCOPES = 500;
const TURN = 2;

/** Part of a dealer's log, and where to look for more where it is empty; null: there is no more. */
export interface PartOfLog {
  readonly events: KeptEvent[];
  readonly next: Position | null;
}

interface EventRow extends Omit<StoredEvent, 'keyed'> {
  readonly keyed: number;
  readonly previous: number;
  readonly position: number;
}

/** An event that says much. The way leads past it to others, so what it says is read only where it is asked for. */
interface LongRow extends Omit<EventRow, 'payload'> {
  readonly payload: null;
}
type PassedRow = EventRow | LongRow;

/** Bytes from which an event is long: reading them takes longer than reading the row. */
const LONG = 2048;

// Written out: to leave one field out of what is spread costs as much as reading the row.
const eventOf = (row: EventRow): StoredEvent => ({
  dealerId: row.dealerId,
  scope: row.scope,
  seq: row.seq,
  id: row.id,
  keyed: row.keyed === 1,
  sender: row.sender,
  type: row.type,
  groupId: row.groupId,
  payload: row.payload,
  at: row.at,
});

const keptOf = ({ scope, seq, id, type, groupId, payload, at }: StoredEvent): KeptEvent => ({
  scope,
  seq,
  id,
  type,
  groupId,
  payload,
  at,
});

/** Those of a scope's events that are of a stretch, in their order, as far as it reaches; no more are asked for. */
function within(
  { before = Number.MAX_SAFE_INTEGER, since = 0, limit, bytes = Infinity }: Stretch,
  rows: Iterable<EventRow>,
): StoredEvent[] {
  const found: StoredEvent[] = [];
  let left = bytes;
  for (const row of rows) {
    if (row.seq >= before || row.at < since) continue;
    left -= Buffer.byteLength(row.payload);
    if (left < 0 && found.length > 0) break;
    found.push(eventOf(row));
    if (found.length === limit) break;
  }
  return found;
}

export function prepareLog(client: Database, cache: RowCache) {
  const { insert, ownEnds, groupEnd, milestone, eventAt, payloadAt, scopesAfter, lastErased, deskMarks } =
    statementsOf(client);

  /** Writes an event after the last of its scope. */
  function append({ dealerId, scope, seq, id, keyed, sender, type, groupId, payload, at }: StoredEvent): void {
    const key = `${dealerId}/${scope}`;
    // A trigger takes no other than the last of its scope: a wrong one would be refused.
    const previous = cache.ends.get(key, () => endOf(dealerId, scope)) ?? 0;
    const { lastInsertRowid } = insert.run(
      previous,
      dealerId,
      scope,
      seq,
      id,
      keyed ? 1 : 0,
      sender,
      type,
      groupId,
      payload,
      at,
    );
    cache.ends.set(key, Number(lastInsertRowid));
  }

  function endOf(dealerId: string, scope: string): number {
    const end = ownEnds.get(scope);
    return (end ? end.get(dealerId) : groupEnd.get(dealerId, scope)) ?? 0;
  }

  /**
   * A scope's events, the last first, from one on that is at most 31 after `seq`, or from its last. None that is marked to be
   * erased [P-11.4]: a milestone may lead to the conversation that had the name before.
   */
  function* backwards(dealerId: string, scope: string, seq: number): Generator<PassedRow> {
    const erased = lastErased.get(dealerId, scope) ?? 0;
    let position = milestone.get(dealerId, scope, Math.max(seq, erased + 1)) ?? endOf(dealerId, scope);
    while (position > 0) {
      const row = eventAt.get(position);
      if (row?.scope !== scope || row.dealerId !== dealerId) {
        throw new Error(`the log of ${dealerId}/${scope} is broken: its event is not at ${position}`);
      }
      yield row;
      position = row.previous;
    }
  }

  function saidAt(position: number): string {
    const payload = payloadAt.get(position);
    if (payload === undefined) throw new Error(`the log is broken: there is no event at ${position}`);
    return payload;
  }

  /** Rows with all that they say, each read when it is asked for. */
  function* whole(rows: Iterable<PassedRow>): Generator<EventRow> {
    for (const row of rows) yield row.payload === null ? { ...row, payload: saidAt(row.position) } : row;
  }

  /** A scope's events after a seq, the first first, up to one that is at most 31 after `before`: from milestone to milestone. */
  function* forwards(dealerId: string, scope: string, after: number, before: number): Generator<EventRow> {
    for (let seen = after; seen < before - 1; ) {
      const run: PassedRow[] = [];
      for (const row of backwards(dealerId, scope, seen + 1)) {
        if (row.seq <= seen) break;
        run.push(row);
      }
      const [last] = run;
      if (!last) return;
      yield* whole(run.reverse());
      seen = last.seq;
    }
  }

  function events(dealerId: string, scope: string, stretch: Stretch): StoredEvent[] {
    const { after, before = Number.MAX_SAFE_INTEGER } = stretch;
    const isLatest = stretch.before !== undefined && after === undefined;
    const found = isLatest
      ? within(stretch, whole(backwards(dealerId, scope, before - 1))).reverse()
      : within(stretch, forwards(dealerId, scope, after ?? 0, before));
    return blanked(dealerId, found);
  }

  /** [P-11.4] Blanks what the desk was told of conversations that are marked, though the turn of those events has not come yet. */
  function blanked(dealerId: string, found: StoredEvent[]): StoredEvent[] {
    const marks = found.some(({ scope }) => scope === DESK_SCOPE) ? deskMarks.all(dealerId) : [];
    if (marks.length === 0) return found;
    return found.map((event) => {
      if (event.scope !== DESK_SCOPE) return event;
      const mark = marks.find(({ groupId, deskSeq }) => groupId === event.groupId && event.seq <= deskSeq);
      return mark ? blank(event, dealerId, mark.erasureId) : event;
    });
  }

  /** Events of all scopes of a dealer, by scope and seq: as many as are found in a turn, and where to go on where none is. */
  function ofDealer(dealerId: string, after: Position | null, bounds: Bounds): PartOfLog {
    const ends = performance.now() + TURN;
    let seen: Position | null = after;
    function* everything(): Generator<EventRow> {
      const scopes = scopesAfter.all(dealerId, after?.scope ?? '', after?.scope ?? '', SCOPES);
      const begun = after ? [after] : [];
      for (const { scope, seq } of [...begun, ...scopes.map((each) => ({ scope: each, seq: 0 }))]) {
        for (const row of forwards(dealerId, scope, seq, Number.MAX_SAFE_INTEGER)) {
          yield row;
          if (performance.now() > ends) return;
        }
        seen = { scope, seq: Number.MAX_SAFE_INTEGER };
        if (performance.now() > ends) return;
      }
      if (scopes.length < SCOPES) seen = null;
    }
    const events = blanked(dealerId, within(bounds, everything())).map(keptOf);
    return { events, next: events.length > 0 ? null : seen };
  }

  /** Reads all of it at one moment: another process may be erasing. */
  const atOnce = <Args extends unknown[], Found>(read: (...args: Args) => Found): ((...args: Args) => Found) =>
    client.transaction((...args: Args): Found => {
      cache.refresh();
      return read(...args);
    });

  return { append, events: atOnce(events), ofDealer: atOnce(ofDealer) };
}

function statementsOf(client: Database) {
  const columns = 'previous, dealer_id, scope, seq, id, keyed, sender, type, group_id, payload, at';
  const end = (query: string) => client.prepare<string[], number>(query).pluck();
  return {
    insert: client.prepare(
      // OR ROLLBACK: what fails ends its transaction, so no row needs a journal of its own to be taken back by.
      `INSERT OR ROLLBACK INTO events (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    groupEnd: end('SELECT last_position FROM groups WHERE dealer_id = ? AND group_id = ?'),
    // By a map: a group may be called `constructor`.
    ownEnds: new Map([
      [DEALER_SCOPE, end('SELECT dealer_position FROM dealers WHERE dealer_id = ?')],
      [DESK_SCOPE, end('SELECT desk_position FROM dealers WHERE dealer_id = ?')],
    ]),
    milestone: client
      .prepare<[string, string, number], number>(
        `SELECT position FROM events WHERE dealer_id = ? AND scope = ? AND seq >= ? AND ${IS_MILESTONE} ORDER BY seq LIMIT 1`,
      )
      .pluck(),
    eventAt: client.prepare<[number], PassedRow>(
      `SELECT position, previous, dealer_id AS dealerId, scope, seq, id, keyed, sender, type, group_id AS groupId,
        iif(octet_length(payload) < ${LONG}, payload, NULL) AS payload, at FROM events WHERE position = ?`,
    ),
    payloadAt: client.prepare<[number], string>('SELECT payload FROM events WHERE position = ?').pluck(),
    lastErased: client
      .prepare<[string, string], number | null>(
        'SELECT max(last_seq) FROM erasing WHERE dealer_id = ? AND group_id = ?',
      )
      .pluck(),
    deskMarks: client.prepare<[string], { erasureId: string; groupId: string; deskSeq: number }>(
      `SELECT erasure_id AS erasureId, group_id AS groupId, desk_seq AS deskSeq FROM erasing
        WHERE dealer_id = ? AND group_id IS NOT NULL ORDER BY desk_seq`,
    ),
    scopesAfter: client
      .prepare<[string, string, string, number], string>(
        `SELECT group_id AS scope FROM groups WHERE dealer_id = ? AND group_id > ?
          UNION ALL SELECT column1 FROM (VALUES ('${DEALER_SCOPE}'), ('${DESK_SCOPE}')) WHERE column1 > ?
          ORDER BY scope LIMIT ?`,
      )
      .pluck(),
  };
}

/** Events found by the positions of the last of their scopes. */
const among = (ends: SQL): SQL => sql`position in (
  with recursive chains(position) as (
    ${ends} union all select e.previous from chains cross join events e on e.position = chains.position
  ) select position from chains)`;

/** A position alone names no tenant: what is found there must be of the dealer who asked, too. */
export const EVENTS_WHERE: EventsWhere = {
  ofDealer: (dealerId) =>
    sql`dealer_id = ${dealerId} and ${among(
      sql`select last_position from groups where dealer_id = ${dealerId}
      union all select dealer_position from dealers where dealer_id = ${dealerId}
      union all select desk_position from dealers where dealer_id = ${dealerId}`,
    )}`,
  ofGroup: (dealerId, groupId) =>
    sql`dealer_id = ${dealerId} and scope = ${groupId} and ${among(
      sql`select last_position from groups where dealer_id = ${dealerId} and group_id = ${groupId}`,
    )}`,
  isLastMessage: sql`m.position = g.last_message_position and m.dealer_id = g.dealer_id`,
};
