/** Dead letters: what came over Redis and was refused [P-6.3]. */
import { sql } from 'drizzle-orm';
import { type Detail, ERRORS, type ErrorCode, type Refusal } from '../../schemas/errors.ts';
import { isId } from '../../schemas/kinds.ts';
import { type Bounds, beginningOf } from './bounded.ts';
import { type Database, inserted, type Row } from './sql.ts';

/** A message from Redis that was refused, whole, with the reason [P-6.3]. */
export interface DeadLetter extends Refusal {
  readonly deadLetterId: string;
  readonly source: 'events' | 'ingress' | 'dialect';
  /** The text as it came. */
  readonly payload: string;
  readonly details: readonly Detail[];
  /** The dealer and the group that it is filed under, where not those that its text names. It is not read again. */
  readonly about?: { readonly dealerId: unknown; readonly groupId: unknown };
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface LetterStore {
  /** Keeps letters: all of them, or none. */
  bury(letters: readonly DeadLetter[]): Promise<void>;
  /** Dead letters by id, and so by time, after the one named. */
  deadLetters(after: string, bounds: Bounds): Promise<DeadLetter[]>;
  deadLetter(deadLetterId: string): Promise<DeadLetter | null>;
  removeDeadLetter(deadLetterId: string): Promise<void>;
}

/** The dealer and the group that an event's text names; null where there is none, or the text is no event at all. */
function namesIn(text: string): { dealer_id: string | null; group_id: string | null } {
  try {
    return rowNames(Object(JSON.parse(text)));
  } catch {
    return rowNames({});
  }
}

const idIn = (field: unknown) => (isId(field) ? String(field) : null);
const rowNames = ({ dealerId, groupId }: { dealerId?: unknown; groupId?: unknown }) => ({
  dealer_id: idIn(dealerId),
  group_id: idIn(groupId),
});

/**
 * A dead letter's row: its text as JSON, since a database's text cannot hold every character that may come; filed under
 * the dealer and the group that it names, so that it is erased with them [P-11.4].
 */
const rowOf = ({ deadLetterId, source, payload, code, message, details, at, about }: DeadLetter): Row => ({
  dead_letter_id: deadLetterId,
  source,
  ...(about ? rowNames(about) : namesIn(payload)),
  payload: JSON.stringify(payload),
  code,
  message,
  details: JSON.stringify(details),
  at,
});

const COLUMNS = sql`dead_letter_id, source, payload, code, message, details, at`;

const isCode = (word: unknown): word is ErrorCode => typeof word === 'string' && Object.hasOwn(ERRORS, word);

const SOURCES: readonly unknown[] = ['events', 'ingress', 'dialect'];
const isSource = (word: unknown): word is DeadLetter['source'] => SOURCES.includes(word);

const letterOfRow = ({ code, ...row }: Row): DeadLetter => ({
  deadLetterId: String(row.dead_letter_id),
  source: isSource(row.source) ? row.source : 'events',
  payload: JSON.parse(String(row.payload)),
  code: isCode(code) ? code : 'internal', // a node of the next version may have reasons that this one does not know
  message: String(row.message),
  details: JSON.parse(String(row.details)),
  at: Number(row.at),
});

export const lettersIn = ({ rows }: Database): LetterStore => ({
  async bury(letters) {
    if (letters.length > 0) await rows(sql`insert into dead_letters ${inserted(letters.map(rowOf))}`);
  },

  async deadLetters(after, bounds) {
    const where = sql`dead_letter_id > ${after}`;
    const order = sql`dead_letter_id`;
    const letters = { columns: COLUMNS, from: sql`dead_letters`, where, order, texts: [sql`payload`] };
    return (await rows(beginningOf(letters, bounds))).map(letterOfRow);
  },

  async deadLetter(deadLetterId) {
    const [row] = await rows(sql`select ${COLUMNS} from dead_letters where dead_letter_id = ${deadLetterId}`);
    return row ? letterOfRow(row) : null;
  },

  async removeDeadLetter(deadLetterId) {
    await rows(sql`delete from dead_letters where dead_letter_id = ${deadLetterId}`);
  },
});
