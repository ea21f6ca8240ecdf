/** [P-20.1] The tables of the system of 2019, as lines of an older system. */
import { isJsonObject } from '../../protocol/checker.ts';
import { type Fields, filled, nameOf } from './records.ts';
import { textOfColumn } from './text.ts';

/** A table that is read: its column of the time (UTC, without a zone), and what a row of it says. */
interface Table {
  readonly time: string;
  readonly tells: (row: Fields) => Fields;
}

/** The one whom an agent's messages are of: the tables do not say which agent it was. */
const AGENT = 'telle2019';

const record = (type: string, message: Fields): Fields => ({ type, message: filled(message) });

export const TABLES: Readonly<Record<string, Table>> = {
  telle_message: {
    time: 'created_time',
    tells: ({ message, message_owner: user }) => ({
      ...{ type: 'UPDATE_MSG', user, message: textOfColumn(message) },
      ...(user === 'admin' && { adminId: AGENT }),
    }),
  },
  telle_chat: {
    time: 'started',
    tells: ({ customer_name: name, department, device_type, device_detail }) =>
      record('UPDATE_USER', { name: nameOf(name), department, device_type, device_detail }),
  },
  telle_webuser: {
    time: 'created',
    tells: ({ ip_addr, city, state, device_type, device_detail }) =>
      record('UPDATE_USER', { ip_addr, city, state, device_type, device_detail }),
  },
  telle_lead: {
    time: 'created',
    tells: ({ customer_name: name, notes_offer: comments, email, phone, status, ...row }) => {
      const { appointment, department, handler, priority } = row;
      return record('UPDATE_LEAD', {
        name,
        email,
        phone,
        status,
        comments,
        appointment,
        department,
        handler,
        priority,
      });
    },
  },
  telle_pageview: {
    time: 'created',
    tells: ({ page: url, bot_clicked, ip_addr }) => record('UPDATE_PAGEVIEW', { url, bot_clicked, ip_addr }),
  },
};

/** The rows of those tables that there are, in the order of their times. */
export const queryOf = (tables: readonly string[]): string =>
  `${tables
    .map(
      (name) =>
        `select '${name}' as name, id, (extract(epoch from ${TABLES[name]?.time}) * 1000)::bigint as at, to_jsonb(t) as fields from ${name} t`,
    )
    .join(' union all ')} order by at, name, id`;

/** Those of the tables that a database has. */
export const THERE = `select name from unnest(array[${Object.keys(TABLES).map((name) => `'${name}'`)}]) as name
  where to_regclass(name) is not null`;

/** A row, as a line of an older system, and what it is called. */
export function lineOf({ name, id, at, fields }: Fields): { number: string; text: string } {
  const table = TABLES[String(name)];
  const row = isJsonObject(fields) ? fields : {};
  const { dealer_id: dealerId, session_id: groupId } = row;
  const line = { dealerId, groupId, at, id: `${name}-${id}`, ...table?.tells(row) };
  return { number: `${name} ${id}`, text: JSON.stringify(line) };
}
