/** The secrets that sign tokens: given, or for an embedded database made once and kept beside it. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { MEMORY, type Settings, sqliteFile } from '../../schemas/settings.ts';
import { makeFolderOf, makePrivate } from '../private-file.ts';
import { ELSEWHERE, missing } from './must-exist.ts';
import { reasonOf } from './reason.ts';
import { isProduction } from './settings.ts';
import { UsageError } from './usage-error.ts';
import { sentenceOf, type Warn, warnOnStderr } from './warning.ts';

/** The shortest secret, in bytes: the size of HS256's hash [RFC 7518, 3.2]. A shorter one can be guessed from any token. */
const MIN_SECRET = 32;
/** Where a server is reached by its own machine alone. */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;

/** A secret, how it is called, and what to do where it is too short. */
interface Secret {
  readonly text: string;
  readonly name: string;
  readonly advice: string;
}

interface Reading {
  /** True where the secret of an embedded database is made if it is missing: by its server, and on request. */
  readonly make?: boolean;
  /** Other remedy for a missing one. */
  readonly otherwise?: string;
  /** Told of one that is too short, where that is let pass: for a developer's server, on loopback. */
  readonly warn?: Warn;
}

/** Where the secret of an embedded database is kept. */
export const secretFile = (database: string): string => `${database.replace(/\.db$/, '')}.secret`;

const made = (): string => randomBytes(MIN_SECRET).toString('base64url');

/**
 * The secrets of a server with these settings.
 * @returns at least one; the first signs, all verify
 * @throws UsageError where there is none, or one that is empty or too short
 */
export function readSecrets(settings: Settings, reading: Reading = {}): string[] {
  const { warn = warnOnStderr } = reading;
  const secrets = settings.AUTH_SECRET === undefined ? [ownSecret(settings, reading)] : partsOf(settings.AUTH_SECRET);
  const short = secrets.find(({ text }) => Buffer.byteLength(text) < MIN_SECRET);
  if (short) {
    const bytes = Buffer.byteLength(short.text);
    const warning = { found: `${short.name} has ${bytes} byte${bytes === 1 ? '' : 's'}`, advice: short.advice };
    if (isProduction() || !LOOPBACK.test(settings.HOST)) throw new UsageError(sentenceOf(warning));
    warn(warning);
  }
  return secrets.map(({ text }) => text);
}

function partsOf(AUTH_SECRET: string): Secret[] {
  const parts = AUTH_SECRET.split(',').map((part) => part.trim());
  if (parts.includes('')) throw new UsageError('AUTH_SECRET has an empty part between its commas');
  const advice = `each part between its commas must have at least ${MIN_SECRET}; make one with openssl rand -base64 32`;
  return parts.map((text, index) => ({ text, name: `part ${index + 1} of AUTH_SECRET`, advice }));
}

/** The secret that a server alone on its database has made for itself. */
function ownSecret(settings: Settings, { make = false, otherwise = '' }: Reading): Secret {
  if (settings.REDIS_URL !== undefined) {
    throw new UsageError('AUTH_SECRET is missing: nodes that share a Redis (REDIS_URL) need a secret that they share');
  }
  const database = sqliteFile(settings);
  if (database === null)
    throw new UsageError('AUTH_SECRET is missing: a database that nodes share needs a secret that they share');
  if (database === MEMORY && make) return { text: made(), name: MEMORY, advice: '' };
  if (database === MEMORY) {
    throw new Error(
      `DATABASE_URL is "sqlite:${MEMORY}", whose secret is its server's alone: set AUTH_SECRET${otherwise}`,
    );
  }
  const name = secretFile(database);
  if (!make && !existsSync(name)) {
    throw new Error(`${missing(name)}, the server's secret: ${ELSEWHERE}, or its AUTH_SECRET${otherwise}`);
  }
  const advice = `a secret must have at least ${MIN_SECRET}; remove the file to have one made`;
  return { text: readFile(name, make), name, advice };
}

function readFile(file: string, make: boolean): string {
  const secret = keptIn(file, make);
  if (secret === '') throw new UsageError(`${file} is empty: remove it to have a new secret made, or set AUTH_SECRET`);
  return secret;
}

/** One line: blanks and line breaks around it are none of the secret. */
function keptIn(file: string, make: boolean): string {
  try {
    if (make) makeFolderOf(file);
    if (make) makePrivate(file, `${made()}\n`);
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new Error(`the secret cannot be kept in ${file}, beside the database (DATABASE_URL): ${reasonOf(cause)}`, {
      cause,
    });
  }
}
