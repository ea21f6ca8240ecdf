/** Check of an address to listen on, with what to do where it cannot be. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { isJsonObject } from '../protocol/checker.ts';

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
export async function isTelle(host: string, port: number): Promise<boolean> {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT);
  const body: unknown = await fetch(`http://${nearby(host)}:${port}/health`, { signal })
    .then((response) => response.json())
    .catch(() => null);
  return (
    isJsonObject(body) && body.status === 'ok' && typeof body.version === 'string' && typeof body.uptime === 'number'
  );
}
