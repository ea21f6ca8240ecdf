/** TLS of the server's own: the certificate and the key that `TLS_CERT` and `TLS_KEY` name. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import type { FastifyBaseLogger } from 'fastify';
import type { Settings } from '../../schemas/settings.ts';
import { type Finding, fault, ok, warning } from './finding.ts';
import { whyUnread } from './sources.ts';
import { UsageError } from './usage-error.ts';

const DAY = 24 * 60 * 60 * 1000;
/** Days before its end from which it is told that a certificate ends. */
const SOON = 14;

interface Tls {
  /** Both as PEM. */
  readonly cert: string;
  readonly key: string;
  readonly certificate: X509Certificate;
}

const NAMES = ['TLS_CERT', 'TLS_KEY'] as const;
type Name = (typeof NAMES)[number];
type Named = Pick<Settings, Name>;

/** @returns null where there is none @throws UsageError where it is none that can be served with now */
export function readTls(settings: Named): Tls | null {
  const [set, unset] = [NAMES.filter((name) => settings[name]), NAMES.filter((name) => !settings[name])];
  if (set.length === 0) return null;
  if (unset.length > 0) throw new UsageError(`${set} is set, and ${unset} is not: set both, or neither`);
  const [cert, key] = [textOf(settings, 'TLS_CERT'), textOf(settings, 'TLS_KEY')];
  const certificate = certificateOf(cert);
  if (!certificate.checkPrivateKey(keyOf(key)))
    throw new UsageError('TLS_KEY is not the key of the certificate in TLS_CERT: give the two of one pair');
  const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
  if (to.getTime() < Date.now())
    throw new UsageError(`the certificate in TLS_CERT ended on ${dayOf(to)}: renew it, and name the new one`);
  if (from.getTime() > Date.now())
    throw new UsageError(`the certificate in TLS_CERT begins on ${dayOf(from)}: use it from then on`);
  return { cert, key, certificate };
}

function textOf(settings: Named, name: Name): string {
  try {
    return readFileSync(settings[name] ?? '', 'utf8');
  } catch (cause) {
    throw new UsageError(`${name} names a file that cannot be read: ${whyUnread(cause)}`, { cause });
  }
}

function certificateOf(text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch {
    throw new UsageError(
      'TLS_CERT names a file without a certificate: it must be PEM, with -----BEGIN CERTIFICATE-----, the whole chain if there is one',
    );
  }
}

/** Reason is not told on: it may quote the key. */
function keyOf(text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    throw new UsageError('TLS_KEY names a file without a private key: it must be PEM, and without a passphrase');
  }
}

const dayOf = (date: Date): string => date.toISOString().slice(0, 10);

export const schemeOf = ({ TLS_CERT }: Named): 'http' | 'https' => (TLS_CERT === undefined ? 'http' : 'https');

/** On SIGHUP: takes what the two files hold by now. Who is connected stays; where one is wrong, all stays as it was. */
export function renewTls(settings: Named, server: Server, log: FastifyBaseLogger): void {
  if (!(server instanceof TlsServer)) return;
  try {
    const tls = readTls(settings);
    if (tls === null) return;
    server.setSecureContext(tls);
    log.info({ until: dayOf(new Date(tls.certificate.validTo)) }, 'the certificate was read again');
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    log.error(`the certificate stays as it is: ${error.message}`);
  }
}

/** Finding of `telle doctor`. */
export function checkTls(settings: Settings): Finding[] {
  try {
    const tls = readTls(settings);
    return tls === null ? [] : [endOf(tls.certificate)];
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return [fault(error.message, 'without the two, the server speaks plain HTTP')];
  }
}

function endOf({ subject, subjectAltName, validTo }: X509Certificate): Finding {
  const end = new Date(validTo);
  const days = Math.round((end.getTime() - Date.now()) / DAY);
  const whose = `the certificate for ${subjectAltName?.replaceAll('DNS:', '') ?? subject}`;
  return days > SOON
    ? ok(`${whose} holds until ${dayOf(end)}, for ${days} days`)
    : warning(`${whose} ends on ${dayOf(end)}, in ${days} days`, 'renew it, and send the server a SIGHUP');
}
