/** Reading a Postgres that is not Telle's. */
import type { Row } from '../sql.ts';
import { openPool } from './pool.ts';

/** Rows of a page. */
const PAGE = 1000;

/** All that a query finds, at one moment, in pages. Nothing is written there. */
export async function* rowsElsewhere(url: string, query: string): AsyncGenerator<readonly Row[]> {
  const pool = openPool('health', { url, connections: 1, onError: () => {} });
  try {
    const client = await pool.connectPatiently();
    try {
      await client.query('begin read only');
      await client.query('set local idle_in_transaction_session_timeout = 0');
      await client.query(`declare rows no scroll cursor for ${query}`);
      for (;;) {
        const { rows } = await client.query<Row>(`fetch ${PAGE} from rows`);
        if (rows.length === 0) return;
        yield rows;
      }
    } finally {
      await client.end();
    }
  } finally {
    await pool.end();
  }
}
