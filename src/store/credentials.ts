/** [P-4] Which tokens are taken: generations, and tokens that are good for nothing more. One text of SQL for both databases. */
import { type SQL, sql } from 'drizzle-orm';
import type { Digests } from './digests.ts';
import { byDealer, type Changes } from './rows.ts';
import { type Database, type Dialect, texts } from './sql.ts';
import { customerAs, keptAs, type Subject, WHOLE_DEALER, writtenAs } from './subjects.ts';

/** The generation that a token must have to be taken. Generations are times in ms since 1970; 0: nothing was ever revoked. */
export interface Generation {
  /** The generation of tokens signed now: the last one that was raised for the dealer. */
  readonly current: number;
  /** The least that is taken. */
  readonly least: number;
  /** True where this one token is spent, however young it is. */
  readonly isSpent: boolean;
}

/** A generation that was raised: of a dealer as a whole where `subject` is {@link WHOLE_DEALER}. */
interface Raised {
  readonly dealerId: string;
  readonly subject: string;
  readonly gen: number;
}

/** A token that was spent, by its `jti`. */
interface Spent {
  readonly dealerId: string;
  readonly tokenId: string;
}

export interface CredentialStore {
  /** The database's clock, by which generations are counted: ms since 1970. */
  now(): Promise<number>;
  generation(subject: Subject, tokenId?: string): Promise<Generation>;
  /** Takes no more tokens that were signed until now, of a subject or of a whole dealer. Answers the least that is taken now. */
  raise(dealerId: string, subject?: Omit<Subject, 'dealer'>): Promise<number>;
  /** Takes a token no more. Answers whether it was good until now: of several who try at once, one is told so. */
  spend(dealerId: string, tokenId: string, expiresAt: number): Promise<boolean>;
  /** The generations raised and the tokens spent since a time of the database's clock (ms since 1970). */
  revokedSince(since: number): Promise<{ raised: readonly Raised[]; spent: readonly Spent[] }>;
  /** Removes spent tokens that have ended. */
  pruneSpent(): Promise<void>;
}

type Speaking = Pick<Dialect, 'clock' | 'table'>;

/** Raises the generations of subjects of a dealer, in SQL: to the time, or where that has not gone on, to one more than the dealer's last. */
const raising = (dealerId: string, subject: readonly string[], { clock, table }: Speaking): SQL =>
  sql`insert into generations (dealer_id, subject, gen)
    select ${dealerId}, n.subject, (select max(gen) from (select ${clock} as gen union all
        select gen + 1 from generations where dealer_id = ${dealerId}) as candidates)
      from ${table({ subject })} where true
    on conflict (dealer_id, subject) do update set gen = excluded.gen`;

/** Takes no more tokens of those whose conversations a batch has erased, or whose claims were made again, in SQL. */
export const revokingCustomers = ({ revoked, erasures }: Changes, digests: Digests, dialect: Speaking): SQL[] =>
  byDealer([...revoked, ...erasures]).map(([dealerId, customers]) => {
    const subjects = new Set(customers.map(({ groupId }) => customerAs(digests.of(dealerId, groupId))));
    return raising(dealerId, [...subjects], dialect);
  });

/** Removes what is known of a dealer's tokens, and takes none of them any more, in SQL. */
export const revokingAll = (dealerId: string, dialect: Speaking): SQL[] => [
  raising(dealerId, [WHOLE_DEALER], dialect),
  sql`delete from generations where dealer_id = ${dealerId} and subject <> ${WHOLE_DEALER}`,
  sql`delete from spent_tokens where dealer_id = ${dealerId}`,
];

export function credentialsIn({ rows, dialect }: Database, digests: Digests): CredentialStore {
  const { clock } = dialect;
  return {
    async now() {
      const [row] = await rows(sql`select ${clock} as now`);
      return Number(row?.now);
    },

    async generation(subject, tokenId = '') {
      const last = sql`select max(gen) from generations where dealer_id = ${subject.dealer}`;
      const spent = sql`select count(*) from spent_tokens where dealer_id = ${subject.dealer} and token_id = ${tokenId}`;
      const [row] = await rows(sql`select (${last}) as current,
        (${last} and subject in (${texts([WHOLE_DEALER, ...keptAs(digests, subject)])})) as least, (${spent}) as spent`);
      return { current: Number(row?.current ?? 0), least: Number(row?.least ?? 0), isSpent: Number(row?.spent) > 0 };
    },

    async raise(dealerId, subject) {
      const name = subject === undefined ? WHOLE_DEALER : writtenAs(digests, { ...subject, dealer: dealerId });
      const [row] = await rows(sql`${raising(dealerId, [name], dialect)} returning gen`);
      return Number(row?.gen);
    },

    async spend(dealerId, tokenId, expiresAt) {
      const made = await rows(sql`insert into spent_tokens (dealer_id, token_id, at, expires_at)
        values (${dealerId}, ${tokenId}, ${clock}, ${expiresAt}) on conflict do nothing returning token_id`);
      return made.length > 0;
    },

    async revokedSince(since) {
      const raised = await rows(sql`select dealer_id, subject, gen from generations where gen >= ${since}`);
      const spent = await rows(sql`select dealer_id, token_id from spent_tokens where at >= ${since}`);
      return {
        raised: raised.map((row) => ({
          dealerId: String(row.dealer_id),
          subject: String(row.subject),
          gen: Number(row.gen),
        })),
        spent: spent.map((row) => ({ dealerId: String(row.dealer_id), tokenId: String(row.token_id) })),
      };
    },

    async pruneSpent() {
      await rows(sql`delete from spent_tokens where expires_at < ${clock}`);
    },
  };
}
