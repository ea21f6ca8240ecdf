/**
 * Names of groups as receipts keep them: found by who knows the name and the server's secret. Without the secret, which is never
 * in the database, a copy of it does not tell whether a name that is guessed was erased.
 */
import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { type Database, list } from './sql.ts';

/** The beginning of a keyed digest: its kind, for the day on which there is another. No plain one has a dot. */
const KEYED = 'k1.';
/** The digest of a name that is not known: no name's. */
export const UNKNOWN_NAME = KEYED;
/** The purpose of the keys: a key of this label verifies no token, and signs none [RFC 5869, 3.2]. */
const LABEL = 'telle digest of a group';
const KEY_BYTES = 32;
/** Receipts that are keyed at a time. */
const AT_ONCE = 200;

const keyFrom = (secret: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', LABEL, KEY_BYTES));

const plainOf = (dealerId: string, groupId: string): string =>
  createHash('sha256').update(`${dealerId}/${groupId}`).digest('base64url');

/** Of a plain digest, and not of the name: so one that is there is keyed by whoever does not know the name. */
const keyed = (key: Buffer, plain: string): string =>
  `${KEYED}${createHmac('sha256', key).update(plain).digest('base64url')}`;

export class Digests {
  readonly #keys: readonly Buffer[];

  /** @param secrets those that sign tokens: the first writes, all find. With none, plain digests are written until a server keys them. */
  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map(keyFrom);
  }

  /** A group's digest, as it is written. */
  of(dealerId: string, groupId: string): string {
    return this.keyed(plainOf(dealerId, groupId));
  }

  /** All that a group's digest may have been written as. */
  all(dealerId: string, groupId: string): readonly string[] {
    const plain = plainOf(dealerId, groupId);
    return [...this.#keys.map((key) => keyed(key, plain)), plain];
  }

  /** True where it has a key to write with. */
  get hasKey(): boolean {
    return this.#keys.length > 0;
  }

  /** A plain digest, keyed, where there is a key. */
  keyed(plain: string): string {
    const [key] = this.#keys;
    return key === undefined ? plain : keyed(key, plain);
  }
}

/**
 * Keys the plain digests that are there: those of an older version, and of a command that had no secret. Nothing happens where
 * there is no key. May be done by two at once.
 */
export async function keyDigests({ rows }: Pick<Database, 'rows'>, digests: Digests): Promise<void> {
  if (!digests.hasKey) return;
  await keySubjects({ rows }, digests);
  for (;;) {
    const plain = await rows(sql`select dealer_id, erasure_id, digest from erasures
      where digest not like ${`${KEYED}%`} limit ${AT_ONCE}`);
    if (plain.length === 0) return;
    const each = plain.map(
      ({ dealer_id, erasure_id, digest }) =>
        sql`(${dealer_id}, ${erasure_id}, ${digest}, ${digests.keyed(String(digest))})`,
    );
    await rows(sql`with n (dealer_id, erasure_id, plain, keyed) as (values ${list(each)})
      update erasures set digest = n.keyed from n
      where erasures.dealer_id = n.dealer_id and erasures.erasure_id = n.erasure_id and digest = n.plain`);
  }
}

/** Keys the plain digests by which customers are known whose tokens were taken back. */
async function keySubjects({ rows }: Pick<Database, 'rows'>, digests: Digests): Promise<void> {
  const plain = await rows(sql`select dealer_id, subject, gen from generations
    where subject like 'customer:%' and subject not like ${`customer:${KEYED}%`}`);
  for (const { dealer_id, subject, gen } of plain) {
    const keyed = `customer:${digests.keyed(String(subject).slice('customer:'.length))}`;
    await rows(sql`insert into generations (dealer_id, subject, gen) values (${dealer_id}, ${keyed}, ${gen})
      on conflict (dealer_id, subject) do update set gen = excluded.gen where excluded.gen > generations.gen`);
    await rows(sql`delete from generations where dealer_id = ${dealer_id} and subject = ${subject}`);
  }
}
