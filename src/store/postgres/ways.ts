/** The ways to a Postgres that a URL names: its hosts, each with and without TLS, as libpq understands the same words. */
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import { type ServerUrl, takenApart } from '../../../schemas/urls.ts';
import { MisusedError } from '../store.ts';

/** One way: an address, and whether and how the connection is encrypted. */
export interface Way {
  readonly name: string;
  readonly config: pg.ClientConfig;
}

/** The session that a connection must have, else the next host is tried: a query, and the answer that it must have. */
export interface Wanted {
  readonly query: string;
  readonly answer: string | boolean;
  readonly otherwise: string;
}

export interface Ways {
  /** In the order in which they are tried. */
  readonly ways: readonly [Way, ...Way[]];
  readonly wanted: Wanted | null;
}

/** The encryption of a connection: none, with whomever, with whom the CA knows, or with whom it knows by that name. */
type Encryption = 'plain' | 'unverified' | 'authority' | 'full';

const SSL_MODES: Readonly<Record<string, readonly Encryption[]>> = {
  disable: ['plain'],
  allow: ['plain', 'unverified'],
  prefer: ['unverified', 'plain'],
  require: ['unverified'],
  'no-verify': ['unverified'],
  'verify-ca': ['authority'],
  'verify-full': ['full'],
};

const TLS: Readonly<Record<Exclude<Encryption, 'plain'>, ConnectionOptions>> = {
  unverified: { rejectUnauthorized: false },
  authority: { checkServerIdentity: () => undefined },
  full: {},
};

const READ_WRITE: Wanted = {
  query: "select current_setting('transaction_read_only') as answer",
  answer: 'off',
  otherwise: 'it can only be read',
};
const SESSION_ATTRS: Readonly<Record<string, Wanted | null>> = {
  any: null,
  'read-write': READ_WRITE,
  primary: { query: 'select pg_is_in_recovery() as answer', answer: false, otherwise: 'it is a standby' },
};

/** Names of a query that are heeded here; the driver is handed the rest. */
const OWN = ['sslmode', 'ssl', 'sslrootcert', 'sslcert', 'sslkey', 'target_session_attrs'];
/** @throws MisusedError where the URL asks for what there is not */
export function waysTo(url: string): Ways {
  const parts = takenApart(url);
  if (parts === null) throw new MisusedError('it is no URL');
  const { user, password, path, hosts, query } = parts;
  const rest = [...query].filter(([name]) => !OWN.includes(name));
  const given = Object.fromEntries(rest);
  const config = { ...textIn({ user, password, database: path }), ...given };
  const encryptions = encryptionsOf(parts);
  const tls = filesOf(query);
  const [first, ...more] = hosts.flatMap(({ name, port }) =>
    encryptions.map((encryption) => ({
      name: `${name || given.host || 'localhost'}:${port ?? given.port ?? 5432}`,
      config: {
        ...textIn({ host: name }),
        ...(port !== null && { port }),
        ...config,
        ssl: encryption === 'plain' ? false : { ...tls, ...TLS[encryption] },
      },
    })),
  );
  if (first === undefined) throw new MisusedError('it names no host');
  const attrs = query.get('target_session_attrs');
  return { ways: [first, ...more], wanted: attrs === undefined && more.length === 0 ? null : wantedOf(attrs) };
}

/** The texts that are not empty: for the rest the driver has its own defaults. */
const textIn = (given: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(given).filter(([, text]) => text !== ''));

/** Names of files: whoever names one means TLS. */
const FILES = { ca: 'sslrootcert', cert: 'sslcert', key: 'sslkey' } as const;

/**
 * A root certificate has `require` verify by it, as libpq does. `ssl=true`, or a file, without a mode verifies: so it is to the
 * driver, whose URLs are in use.
 */
function encryptionsOf({ query }: ServerUrl): readonly Encryption[] {
  const isAsked = /^(true|1)$/.test(query.get('ssl') ?? '') || Object.values(FILES).some((name) => query.has(name));
  const mode = query.get('sslmode') ?? (isAsked ? 'verify-full' : (process.env.PGSSLMODE ?? 'disable'));
  if (mode === 'require' && query.has('sslrootcert')) return ['authority'];
  return chosen(SSL_MODES, 'sslmode', mode);
}

/** Several hosts are there for the one that can be written to. */
const wantedOf = (attrs: string | undefined): Wanted | null =>
  chosen(SESSION_ATTRS, 'target_session_attrs', attrs ?? 'read-write');

function chosen<T>(table: Readonly<Record<string, T>>, name: string, word: string): T {
  const found = Object.entries(table).find(([known]) => known === word);
  if (found) return found[1];
  throw new MisusedError(`its ${name} is "${word}", and must be one of ${Object.keys(table).join(', ')}`);
}

/** `system` is what this machine trusts, which is the default here. */
function filesOf(query: ReadonlyMap<string, string>): ConnectionOptions {
  const read = Object.entries(FILES).flatMap(([option, name]) => {
    const file = query.get(name);
    return file === undefined || file === 'system' ? [] : [[option, contentsOf(name, file)]];
  });
  return Object.fromEntries(read);
}

function contentsOf(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new MisusedError(`its ${name} cannot be read: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** invalid_authorization_specification, invalid_password */
const NOT_LET_IN = '28000';
const WRONG_PASSWORD = '28P01';

/** The words of a pool all of whose connections are in use: no way is to blame. */
const ALL_IN_USE = 'timeout exceeded when trying to connect';

/** Tells whether no other way leads further after this failure. */
export const isFinal = (error: unknown): boolean =>
  error instanceof pg.DatabaseError
    ? error.code === WRONG_PASSWORD
    : error instanceof Error && error.message === ALL_IN_USE;

/** Tells whether a host did not answer at all. */
export const isUnreached = (error: unknown): boolean =>
  error instanceof Error && ('syscall' in error || /timeout/.test(error.message));

/** Takes the user's name out of a server's refusal: where a colon was forgotten, it has the password in it. */
export function withoutNames(error: unknown): unknown {
  if (!(error instanceof pg.DatabaseError)) return error;
  const { code, message } = error;
  if (code === WRONG_PASSWORD) return Object.assign(new Error('it refuses this user or its password'), { code });
  if (code !== NOT_LET_IN) return error;
  const hint = /no encryption|SSL off/.test(message) ? ', or only with TLS: add ?sslmode=require' : '';
  return Object.assign(
    new Error(`it does not let this user in: is there such a role, and a line in pg_hba.conf${hint}`),
    {
      code,
    },
  );
}
