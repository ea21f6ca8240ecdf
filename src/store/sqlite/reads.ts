/**
 * The reads of every batch and every join, prepared once. It is SQL as text: to have Drizzle put it together each time costs more
 * than to carry it out.
 */
import type { Database } from 'better-sqlite3';
import { DESK_SCOPE } from '../../../schemas/table.ts';
import { MAX_INTENTS } from '../../domain/records.ts';
import type { Group, Known } from '../../domain/state.ts';
import type { Generation } from '../credentials.ts';
import type { Doorway } from '../dealers.ts';
import type { Digests } from '../digests.ts';
import { isKept } from '../erasing.ts';
import type { DealerSeqs, Prior } from '../rows.ts';
import { IS_SERVER, type RulesRow, rulesOfRow } from '../rules.ts';
import { keptAs, type Subject, WHOLE_DEALER } from '../subjects.ts';

interface GroupRow extends Omit<Group, 'online' | 'closed'> {
  readonly online: number;
  readonly closed: number;
}

const parsed = (json: string | undefined): Known | undefined => (json === undefined ? undefined : JSON.parse(json));

/** A record as one text of JSON. */
const KNOWN = `'{"fields":' || fields || ',"customer":' || customer || '}'`;

export function prepareReads(client: Database, digests: Digests) {
  const dealerSeqs = client.prepare<[string], DealerSeqs>(
    'SELECT dealer_seq AS dealerSeq, desk_seq AS deskSeq FROM dealers WHERE dealer_id = ?',
  );
  const doorway = client.prepare<
    [string],
    { origins: string; claims: Doorway['claims']; groupKey: 'token' | 'id' | null; groupKeyUntil: string | null }
  >(
    `SELECT origins, coalesce(claims, 'any') AS claims, settings ->> 'groupKey' AS groupKey, settings ->> 'groupKeyUntil' AS groupKeyUntil
      FROM dealers WHERE dealer_id = ?`,
  );
  const rules = client.prepare<[string], RulesRow>(
    `SELECT settings, bot_spoke_at AS botSpokeAt, alone_since AS aloneSince, is_open AS isOpen, look_at AS lookAt,
      EXISTS (SELECT 1 FROM presences p WHERE p.dealer_id = d.dealer_id AND ${IS_SERVER}) AS hasServer
      FROM dealers d WHERE dealer_id = ?`,
  );
  const present = client
    .prepare<[string], number>(
      `SELECT count(*) FROM chats WHERE dealer_id = ? AND place = '${DESK_SCOPE}' AND online = 1`,
    )
    .pluck();
  const group = client.prepare<[string, string], GroupRow>(
    `SELECT online, muted_by AS mutedBy, closed, closed_by AS closedBy, unread, last_seq AS lastSeq, last_message_seq AS lastMessageSeq,
      admin_read AS adminRead, customer_read AS customerRead, holder, waiting_since AS waitingSince, waiting_for AS waitingFor,
      turned_at AS turnedAt, marks, assignee, acted_at AS actedAt, bot_run AS botRun, due FROM groups WHERE dealer_id = ? AND group_id = ?`,
  );
  // By the index of open ones: by the admin's name, all that he has ever left would be read, too.
  const openChats = client
    .prepare<[string, string], string>(
      'SELECT place FROM chats INDEXED BY chats_online WHERE dealer_id = ? AND admin_id = ? AND online = 1',
    )
    .pluck();
  const presences = client
    .prepare<[string, string], string>('SELECT node_id FROM presences WHERE dealer_id = ? AND sender = ?')
    .pluck();
  const adminOnline = client.prepare<[string], unknown>(
    `SELECT 1 FROM chats WHERE dealer_id = ? AND place = '${DESK_SCOPE}' AND online = 1 LIMIT 1`,
  );
  const record = (table: 'users' | 'leads') =>
    client
      .prepare<[string, string], string>(`SELECT ${KNOWN} FROM ${table} WHERE dealer_id = ? AND group_id = ?`)
      .pluck();
  const [user, lead] = [record('users'), record('leads')];
  const intent = client
    .prepare<[string, string, string], string>(
      `SELECT ${KNOWN} FROM lead_intents WHERE dealer_id = ? AND group_id = ? AND intent = ?`,
    )
    .pluck();
  const intentCount = client
    .prepare<[string, string], number>(
      `SELECT count(*) FROM (SELECT 1 FROM lead_intents WHERE dealer_id = ? AND group_id = ? LIMIT ${MAX_INTENTS})`,
    )
    .pluck();
  const prior = client.prepare<[string, string, string, string], Prior>(
    `SELECT seq, at FROM events e WHERE dealer_id = ? AND scope = ? AND sender = ? AND id = ? AND keyed = 1 AND ${isKept('e')}`,
  );
  const unkey = client.prepare<[string, string, string, string]>(
    `UPDATE events AS e SET keyed = 0
      WHERE dealer_id = ? AND scope = ? AND sender = ? AND id = ? AND keyed = 1 AND NOT ${isKept('e')}`,
  );
  const hasErased = client.prepare<[string, string], unknown>(
    'SELECT 1 FROM erasures WHERE dealer_id = ? UNION ALL SELECT 1 FROM erasing WHERE dealer_id = ? LIMIT 1',
  );
  // By the digest of its name, or by the name where it is still there.
  const erased = client
    .prepare<[string, string, string, string], number | null>(
      `SELECT max(last_seq) FROM (
        SELECT last_seq FROM erasures WHERE dealer_id = ? AND digest IN (SELECT value FROM json_each(?))
        UNION ALL SELECT last_seq FROM erasing WHERE dealer_id = ? AND group_id = ?)`,
    )
    .pluck();
  const beginsAfter = client
    .prepare<[string, string], number>('SELECT begins_after FROM groups WHERE dealer_id = ? AND group_id = ?')
    .pluck();
  const removed = client.prepare<[string], unknown>(
    `SELECT 1 FROM generations WHERE dealer_id = ? AND subject = '${WHOLE_DEALER}'`,
  );
  const newest = client
    .prepare<[string], number | null>('SELECT max(gen) FROM generations WHERE dealer_id = ?')
    .pluck();
  const least = client
    .prepare<[string, string], number | null>(
      'SELECT max(gen) FROM generations WHERE dealer_id = ? AND subject IN (SELECT value FROM json_each(?))',
    )
    .pluck();
  const spent = client.prepare<[string, string], unknown>(
    'SELECT 1 FROM spent_tokens WHERE dealer_id = ? AND token_id = ?',
  );
  return {
    /** Every join asks, and of most dealers nothing was ever revoked: then there is no digest to make. */
    generation: (subject: Subject, tokenId: string): Generation => {
      const { dealer } = subject;
      const current = newest.get(dealer) ?? 0;
      const names = () => JSON.stringify([WHOLE_DEALER, ...keptAs(digests, subject)]);
      return {
        current,
        least: current === 0 ? 0 : (least.get(dealer, names()) ?? 0),
        isSpent: tokenId !== '' && spent.get(dealer, tokenId) !== undefined,
      };
    },
    beginsAfter: (dealerId: string, groupId: string) => beginsAfter.get(dealerId, groupId) ?? 0,
    removed: (dealerId: string) => removed.get(dealerId) !== undefined,
    erased: (dealerId: string, groupId: string) =>
      hasErased.get(dealerId, dealerId) === undefined
        ? undefined
        : (erased.get(dealerId, JSON.stringify(digests.all(dealerId, groupId)), dealerId, groupId) ?? undefined),
    dealerSeqs: (dealerId: string) => dealerSeqs.get(dealerId),
    doorway: (dealerId: string): Doorway | undefined => {
      const found = doorway.get(dealerId);
      return found && { ...found, origins: JSON.parse(found.origins) };
    },
    rules: (dealerId: string) => {
      const row = rules.get(dealerId);
      return row && rulesOfRow(row);
    },
    present: (dealerId: string) => present.get(dealerId) ?? 0,
    group: (dealerId: string, groupId: string): Group | undefined => {
      const row = group.get(dealerId, groupId);
      return row && { ...row, online: row.online === 1, closed: row.closed === 1 };
    },
    openChats: (dealerId: string, adminId: string) => new Set(openChats.all(dealerId, adminId)),
    presences: (dealerId: string, sender: string) => new Set(presences.all(dealerId, sender)),
    adminOnline: (dealerId: string) => adminOnline.get(dealerId) !== undefined,
    user: (dealerId: string, groupId: string) => parsed(user.get(dealerId, groupId)),
    lead: (dealerId: string, groupId: string) => parsed(lead.get(dealerId, groupId)),
    intent: (dealerId: string, groupId: string, word: string) => parsed(intent.get(dealerId, groupId, word)),
    /** [P-11.4] The key of an event that is marked to be erased is free. */
    freeKey: ([dealerId = '', scope = '', sender = '', id = '']: readonly string[]) =>
      unkey.run(dealerId, scope, sender, id),
    intentCount: (dealerId: string, groupId: string) => intentCount.get(dealerId, groupId),
    prior: ([dealerId = '', scope = '', sender = '', id = '']: readonly string[]) =>
      prior.get(dealerId, scope, sender, id),
  };
}
