import type { SocketClass, TokenStorage } from './types.ts';

/** What the platform gives: a browser all of it, Node some. */
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

/** An id that nobody else makes. `crypto.randomUUID` would do, but for pages that are not served over HTTPS. */
export const newId = (): string =>
  Array.from(platform.crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
