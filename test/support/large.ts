/** Large databases, made by SQL in a moment: conversations as customers leave them behind, by the thousand. */
import Sqlite from 'better-sqlite3';
import { withClient } from './postgres.ts';

export interface Large {
  /** Its dealers are this and a number: `large1`, `large2`, … */
  readonly name: string;
  readonly dealers: number;
  /** Conversations of each dealer: `g1`, `g2`, …, each with a user, a lead, an intent, a page view, and an admin who has left it. */
  readonly groups: number;
  /** Messages of each conversation. */
  readonly events: number;
  /** When all of it happened, in ms since 1970. */
  readonly at: number;
  readonly retentionDays?: number;
}

/** Admins of each dealer, who took turns with its conversations. */
const ADMINS = 20;

/** The statements that both databases speak, given what numbers they have. `d`, `g` and `s` are a dealer, a conversation and a message. */
const ROWS = ({ name, at }: Large) => ({
  dealer: `'${name}' || d`,
  group: `'g' || g`,
  text: `'{"type":"CHAT_MSG","dealerId":"${name}' || d || '","groupId":"g' || g || '","user":"customer","muted":false,"unread":1,'
    || '"message":"Is the blue one in the yard still there, and may I drive it on Saturday?"}'`,
  view: `'{"type":"UPDATE_PAGEVIEW","dealerId":"${name}' || d || '","groupId":"g' || g || '","message":{"url":"https://cars.example/' || g || '"}}'`,
  fields: `'{"firstName":"Sam","lastName":"No. ' || g || '","email":"sam' || g || '@mail.example","vehicle":{"make":"Ford","model":"Focus","year":2020}}'`,
  admin: `'a' || (g % ${ADMINS})`,
  at: String(at),
});

/** Fills the database of a URL, which has its tables. */
export const fillLarge = (url: string, large: Large): Promise<void> =>
  url.startsWith('sqlite:') ? fillFile(url.replace('sqlite:', ''), large) : fillPostgres(url, large);

/** Records of a conversation, and the admin who was in it: the same for both. @param groups what gives `d` and `g` */
function records(large: Large, groups: string): string[] {
  const { dealer, group, fields, admin, at } = ROWS(large);
  return [
    ...['users', 'leads'].map(
      (table) => `insert into ${table} (dealer_id, group_id, fields, created_at, updated_at)
        select ${dealer}, ${group}, ${fields}, ${at}, ${at} from ${groups}`,
    ),
    `insert into lead_intents (dealer_id, group_id, intent, fields, created_at, updated_at)
      select ${dealer}, ${group}, 'buy', '{"intent":"buy"}', ${at}, ${at} from ${groups}`,
    `insert into chats (dealer_id, admin_id, place, at) select ${dealer}, ${admin}, ${group}, ${at} from ${groups}`,
  ];
}

const retention = ({ retentionDays }: Large): string => String(retentionDays ?? 'null');

async function fillPostgres(url: string, large: Large): Promise<void> {
  const { dealer, group, text, view, at } = ROWS(large);
  const dealers = `generate_series(1, ${large.dealers}) d`;
  const groups = `${dealers}, generate_series(1, ${large.groups}) g`;
  await withClient(url, async (client) => {
    const statements = [
      `insert into dealers (dealer_id, origins, retention_days, desk_seq, created_at)
        select ${dealer}, '["*"]', ${retention(large)}, ${large.groups}, ${at} from ${dealers}`,
      `insert into groups (dealer_id, group_id, last_seq, last_message_seq, created_at, updated_at)
        select ${dealer}, ${group}, ${large.events}, ${large.events}, ${at}, ${at} from ${groups}`,
      `insert into events (dealer_id, scope, seq, id, keyed, sender, type, group_id, payload, at)
        select ${dealer}, ${group}, s, d || '.' || g || '.' || s, true, 'customer:g' || g, 'CHAT_MSG', ${group}, ${text}, ${at}
        from ${groups}, generate_series(1, ${large.events}) s`,
      `insert into events (dealer_id, scope, seq, id, sender, type, group_id, payload, at)
        select ${dealer}, '@desk', g, d || '.' || g, 'customer:g' || g, 'UPDATE_PAGEVIEW', ${group}, ${view}, ${at} from ${groups}`,
      ...records(large, groups),
      'vacuum analyze',
    ];
    for (const statement of statements) await client.query(statement);
  });
}

/** The trigger that follows each event is away meanwhile: what it would note is known. */
async function fillFile(file: string, large: Large): Promise<void> {
  const { dealer, group, text, view, at } = ROWS(large);
  const client = new Sqlite(file);
  const numbers = (name: string, last: number) =>
    `${name}s(${name}) as (select 1 union all select ${name} + 1 from ${name}s where ${name} < ${last})`;
  const named = `with recursive ${numbers('d', large.dealers)}, ${numbers('g', large.groups)}, ${numbers('s', large.events)}`;
  // As they come from each other, in this order: SQLite would put the shortest first.
  const groups = `ds cross join gs`;
  const last = Number(client.prepare('select coalesce(max(position), 0) from events').pluck().get());
  const nth = `((d - 1) * ${large.groups} + g)`;
  const end = `${last} + ${nth} * ${large.events}`;
  const desk = last + large.dealers * large.groups * large.events;
  const follow = String(client.prepare("select sql from sqlite_master where name = 'events_follow'").pluck().get());
  client.pragma('synchronous = off');
  client.transaction(() => {
    client.exec('drop trigger events_follow');
    const insert = (statement: string) => client.exec(statement.replace(' select ', ` ${named} select `));
    insert(`insert into dealers (dealer_id, origins, retention_days, desk_seq, desk_logged, desk_position, created_at)
      select ${dealer}, '["*"]', ${retention(large)}, ${large.groups}, ${large.groups}, ${desk} + d * ${large.groups}, ${at} from ds`);
    insert(`insert into groups (dealer_id, group_id, last_seq, last_message_seq, logged, last_position, last_message_position,
        created_at, updated_at, updated_minute)
      select ${dealer}, ${group}, ${large.events}, ${large.events}, ${large.events}, ${end}, ${end}, ${at}, ${at}, ${at} / 60000 from ${groups}`);
    insert(`insert into events (position, previous, dealer_id, scope, seq, id, keyed, sender, type, group_id, payload, at)
      select ${end} - ${large.events} + s, iif(s = 1, 0, ${end} - ${large.events} + s - 1), ${dealer}, ${group}, s,
        d || '.' || g || '.' || s, 1, 'customer:g' || g, 'CHAT_MSG', ${group}, ${text}, ${at} from ${groups} cross join ss`);
    insert(`insert into events (position, previous, dealer_id, scope, seq, id, sender, type, group_id, payload, at)
      select ${desk} + ${nth}, iif(g = 1, 0, ${desk} + ${nth} - 1), ${dealer}, '@desk', g, d || '.' || g, 'customer:g' || g,
        'UPDATE_PAGEVIEW', ${group}, ${view}, ${at} from ${groups}`);
    for (const statement of records(large, groups)) insert(statement);
    client.exec(follow);
  })();
  client.pragma('wal_checkpoint(truncate)');
  client.close();
}
