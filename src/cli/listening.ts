/** Check of an address to listen on, with what to do where it cannot be. */
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { createServer } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Settings } from '../../schemas/settings.ts';
import { isJsonObject } from '../protocol/checker.ts';
import { schemeOf } from './tls.ts';

/** Time that a server on this machine may take to say who it is, in ms. */
const ANSWER_TIMEOUT = 2_000;

/** Advice by the system's code. */
const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process has that port: end it, or set another PORT',
  EADDRNOTAVAIL: 'this machine has no such address: set another HOST',
  EACCES: 'this user may not have that port: set a PORT from 1024 on',
  ENOTFOUND: 'no address of that name is known: set another HOST',
  EAI_AGAIN: 'no address of that name is known now: set another HOST',
};

/** @param setting the port's */
export const adviceOnListening = (error: Error, setting: string): string =>
  ADVICE['code' in error ? String(error.code) : '']?.replace('PORT', setting) ?? `set another HOST or ${setting}`;

/** @returns why not, where a server could not listen there now */
export async function faultOfListening(host: string, port: number): Promise<Error | null> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    server.close();
  }
}

/** An address as a client on this machine reaches it: one that listens on every interface does so on this machine's own. */
const nearby = (host: string): string =>
  ({ '0.0.0.0': '127.0.0.1', '::': '[::1]' })[host] ?? (host.includes(':') ? `[${host}]` : host);

/** Tells whether Telle answers there. */
export async function isTelle(settings: Settings): Promise<boolean> {
  const body: unknown = await bodyOf(urlOf(settings, '/health')).catch(() => null);
  return (
    isJsonObject(body) && body.status === 'ok' && typeof body.version === 'string' && typeof body.uptime === 'number'
  );
}

/** The parts of the server that answers there, and how each is; null where it does not tell. */
export async function partsOfServer(settings: Settings): Promise<Readonly<Record<string, string>> | null> {
  const body: unknown = await bodyOf(urlOf(settings, '/ready')).catch(() => null);
  if (!isJsonObject(body) || !isJsonObject(body.parts)) return null;
  const parts = Object.entries(body.parts);
  return Object.fromEntries(parts.map(([part, told]) => [part, isJsonObject(told) ? String(told.state) : '?']));
}

const urlOf = (settings: Settings, path: string): string =>
  `${schemeOf(settings)}://${nearby(settings.HOST)}:${settings.PORT}${path}`;

/** Asks whoever answers there: this machine's address is not what a certificate is for. */
async function bodyOf(url: string): Promise<unknown> {
  const { get } = url.startsWith('https:') ? https : http;
  const asked = get(url, { rejectUnauthorized: false, agent: false, signal: AbortSignal.timeout(ANSWER_TIMEOUT) });
  const [answer]: IncomingMessage[] = await once(asked, 'response');
  return answer && json(answer);
}
