/** Dealers: their settings, and who may join them. */
import { sql } from 'drizzle-orm';
import { CLAIMS, type Dealer, type DealerSettings, KeptTogether } from '../../schemas/dealers.ts';
import { refused } from '../../schemas/errors.ts';
import { DESK_SCOPE } from '../../schemas/table.ts';
import type { Group, Rules } from '../domain/state.ts';
import { revokingAll } from './credentials.ts';
import { removeAll, WHOLE } from './removing.ts';
import type { DealerSeqs } from './rows.ts';
import { type Database, inserted, list, type Row, type Steps, textOrNull } from './sql.ts';

/** The rules for joining a dealer: from pages of which origins, and who without a token. */
export interface Doorway {
  readonly origins: readonly string[];
  readonly claims: (typeof CLAIMS)[number];
  /** [P-19.3] Null: not set. */
  readonly groupKey: 'token' | 'id' | null;
  readonly groupKeyUntil: string | null;
}

/** The state of its dealer and group that a joining socket needs. */
export interface Standing {
  /** Null: there is no such dealer. */
  readonly dealer: (DealerSeqs & Doorway) | null;
  /** [P-13] Of no dealer, those of a new one. */
  readonly rules: Rules;
  /** Null: none was asked for, or there is none of that name. */
  readonly group: Group | null;
  /** True where any admin of the dealer is here; false where no group was asked for. */
  readonly adminOnline: boolean;
}

export interface DealerStore {
  dealer(dealerId: string): Promise<Dealer | null>;
  /** Dealers by dealerId, after the one named. */
  dealers(after: string, limit: number): Promise<Dealer[]>;
  /**
   * Replaces a dealer's settings, making the dealer if it is new. Answers whether it was. Rejects with a refusal, `unavailable`, while one
   * that had the name is being removed.
   */
  putDealer(dealerId: string, settings: DealerSettings): Promise<boolean>;
  /**
   * Changes a dealer's settings, as they are, to what is made of them. @returns the dealer before and after; null: there is none.
   * Rejects where they cannot be made, and changes nothing.
   */
  changeDealer(
    dealerId: string,
    change: (settings: DealerSettings) => DealerSettings,
  ): Promise<{ readonly before: Dealer; readonly after: Dealer } | null>;
  /** [P-19.3] Dealers whose groups are joined by their names, or were, so many at most. */
  dealersByName(limit: number): Promise<Dealer[]>;
  /** [P-7.5] Ids of the dealer's admins who are here, in their order, so many at most. */
  adminsHere(dealerId: string, limit: number): Promise<string[]>;
  /** Removes a dealer, and everything of it, which may take a while longer. Answers whether there was one. */
  deleteDealer(dealerId: string): Promise<boolean>;
  standing(dealerId: string, groupId?: string): Promise<Standing>;
}

/** A dealer's settings, from its row: what was not set is absent. */
function dealerOfRow(row: Row): Dealer {
  const [name, email, phone] = [textOrNull(row.name), textOrNull(row.email), textOrNull(row.phone)];
  const claims = CLAIMS.find((each) => each === row.claims);
  return {
    dealerId: String(row.dealer_id),
    ...(name !== null && { name }),
    ...(email !== null && { email }),
    ...(phone !== null && { phone }),
    origins: JSON.parse(String(row.origins)),
    ...(row.retention_days !== null && { retentionDays: Number(row.retention_days) }),
    ...(claims && { claims }),
    ...JSON.parse(String(row.settings)),
  };
}

const together = Object.keys(KeptTogether.properties);

/** Those of the settings that are kept together, as JSON. */
const settingsOf = (given: DealerSettings): string =>
  JSON.stringify(Object.fromEntries(Object.entries(given).filter(([name]) => together.includes(name))));

/** A dealer's settings, as its row has them. */
const rowOf = ({ name, email, phone, origins, retentionDays, claims, ...others }: DealerSettings): Row => ({
  name: name ?? null,
  email: email ?? null,
  phone: phone ?? null,
  origins: JSON.stringify(origins ?? []),
  retention_days: retentionDays ?? null,
  claims: claims ?? null,
  settings: settingsOf(others),
  // [P-12, P-13] What falls due by the settings of before may do so at another time.
  look_at: 0,
});

/** Postgres has origins and settings as JSON, SQLite as its text. */
const DEALER = sql`dealer_id, name, email, phone, cast(origins as text) as origins, retention_days, claims,
  cast(settings as text) as settings`;

const setting = (settings: DealerSettings) =>
  list(Object.entries(rowOf(settings)).map(([column, value]) => sql`${sql.raw(column)} = ${value}`));

/** The queries that both databases share. A dealer's standing is asked at every join, and each reads it in its own way. */
export const dealersIn = ({ rows, transact, dialect }: Database): Omit<DealerStore, 'standing'> => ({
  async dealer(dealerId) {
    const [row] = await rows(sql`select ${DEALER} from dealers where dealer_id = ${dealerId}`);
    return row ? dealerOfRow(row) : null;
  },

  async dealers(after, limit) {
    const found = await rows(
      sql`select ${DEALER} from dealers where dealer_id > ${after} order by dealer_id limit ${limit}`,
    );
    return found.map(dealerOfRow);
  },

  async dealersByName(limit) {
    const where = sql`settings ->> 'groupKey' = 'id'`;
    return (await rows(sql`select ${DEALER} from dealers where ${where} order by dealer_id limit ${limit}`)).map(
      dealerOfRow,
    );
  },

  async adminsHere(dealerId, limit) {
    const where = sql`dealer_id = ${dealerId} and place = ${DESK_SCOPE} and ${dialect.isSet(sql`online`)}`;
    const found = await rows(sql`select admin_id from chats where ${where} order by admin_id limit ${limit}`);
    return found.map((row) => String(row.admin_id));
  },

  putDealer: (dealerId, given) =>
    transact(function* (): Steps<boolean> {
      const mark = sql`dealer_id = ${dealerId} and erasure_id = ${WHOLE} and group_id is not null`;
      const [leaving] = yield sql`select 1 from erasing where ${mark}`;
      if (leaving) throw refused('unavailable', 'the dealer that had this name is still being removed: try again');
      const row = { dealer_id: dealerId, ...rowOf(given), created_at: Date.now() };
      const made = yield sql`insert into dealers ${inserted([row])} on conflict do nothing returning dealer_id`;
      if (made.length > 0) return true;
      yield sql`update dealers set ${setting(given)} where dealer_id = ${dealerId}`;
      return false;
    }),

  changeDealer: (dealerId, change) =>
    transact(function* () {
      const [row] = yield sql`select ${DEALER} from dealers where dealer_id = ${dealerId} ${dialect.locked}`;
      if (!row) return null;
      const before = dealerOfRow(row);
      const { dealerId: _, ...settings } = before;
      const changed = change(settings);
      yield sql`update dealers set ${setting(changed)} where dealer_id = ${dealerId}`;
      return { before, after: { dealerId, ...changed } };
    }),

  deleteDealer: (dealerId) =>
    transact(function* (): Steps<boolean> {
      yield* removeAll(dealerId, dialect);
      const removed = yield sql`delete from dealers where dealer_id = ${dealerId} returning dealer_id`;
      if (removed.length > 0) for (const statement of revokingAll(dealerId, dialect)) yield statement;
      return removed.length > 0;
    }),
});
