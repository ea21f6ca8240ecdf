import type { SocketClass, TokenStorage } from './types.ts';

/** Features of the platform: a browser all of it, Node some. */
interface Platform {
  readonly crypto: { getRandomValues(array: Uint8Array<ArrayBuffer>): Uint8Array };
  readonly document?: unknown;
  readonly localStorage?: TokenStorage;
  readonly WebSocket?: SocketClass;
  addEventListener?(type: 'online' | 'offline', listener: () => void): void;
  removeEventListener?(type: 'online' | 'offline', listener: () => void): void;
}

export const platform: Platform = globalThis;

/** The page's `localStorage`: none outside of a page, nor where the browser forbids it. */
export function pageStorage(): TokenStorage | undefined {
  try {
    return platform.document ? platform.localStorage : undefined;
  } catch {
    return undefined;
  }
}

/**
 * An id that nobody else makes: twelve hex digits of the time in ms, so that the server finds those of one time next to
 * each other, and twenty by chance. `crypto.randomUUID` has no time, and is not there on pages that come without HTTPS.
 */
export const newId = (): string =>
  platform.crypto.getRandomValues(new Uint8Array(10)).reduce((id, byte) => id + hex(byte, 2), hex(Date.now(), 12));

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
