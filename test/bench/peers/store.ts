/** What the peers store in: a table shaped as Telle's log, without its second keys, in WAL and flushed at each commit. */
import Database from 'better-sqlite3';

export interface Message {
  readonly dealerId: string;
  readonly scope: string;
  readonly id: string;
  readonly sender: string;
  readonly type: string;
  readonly payload: string;
  readonly at: number;
}

/** Stores a message, and calls back when it is committed. */
export type Store = (message: Message, committed: () => void) => void;

function open() {
  const database = new Database(process.env.BENCH_DATABASE ?? '');
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec(`CREATE TABLE events (
    seq integer PRIMARY KEY, dealer_id text NOT NULL, scope text NOT NULL, id text NOT NULL, sender text NOT NULL,
    type text NOT NULL, payload text NOT NULL, at integer NOT NULL)`);
  const insert = database.prepare<[string, string, string, string, string, string, number]>(
    'INSERT INTO events (dealer_id, scope, id, sender, type, payload, at) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const put = ({ dealerId, scope, id, sender, type, payload, at }: Message) =>
    void insert.run(dealerId, scope, id, sender, type, payload, at);
  return { database, put };
}

/** An insert, and so a commit, a message. */
export function oneByOne(): Store {
  const { put } = open();
  return (message, committed) => {
    put(message);
    committed();
  };
}

/** What comes in one turn of the event loop is one transaction. */
export function microBatched(): Store {
  const { database, put } = open();
  let waiting: { message: Message; committed: () => void }[] = [];
  const write = database.transaction((batch: typeof waiting) => {
    for (const { message } of batch) put(message);
  });
  const flush = () => {
    const batch = waiting;
    waiting = [];
    write(batch);
    for (const { committed } of batch) committed();
  };
  return (message, committed) => {
    waiting.push({ message, committed });
    if (waiting.length === 1) setImmediate(flush);
  };
}

/** Nothing is stored. */
export const nowhere: Store = (_, committed) => committed();
