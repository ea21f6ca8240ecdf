import { pageStorage } from './platform.ts';
import type { AnyOptions, Token, TokenStorage } from './types.ts';

/** Time before its end at which a token is renewed, in milliseconds, where it holds long enough. */
const RENEW_BEFORE = 60_000;
/** The longest that a timer can be set for, in milliseconds. */
const MAX_TIMER = 2 ** 31 - 1;

/** When a token expires, in milliseconds since 1970; NaN where it does not say. */
function expiryOf(token: string): number {
  try {
    const claims = token.split('.')[1] ?? '';
    return JSON.parse(atob(claims.replace(/-/g, '+').replace(/_/g, '/'))).exp * 1000;
  } catch {
    return Number.NaN;
  }
}

/** Keeps the token: the application's, or for a customer without one the token that Telle gives out [P-3.1]. */
export class Keeper {
  readonly #source: Token | undefined;
  readonly #isTelles: boolean;
  readonly #storage: TokenStorage | undefined;
  readonly #key: string;
  #token: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts the connections: a token that is fetched for an earlier one comes too late. */
  #round = 0;

  constructor({ role, dealerId, groupId = '', token, storage = pageStorage() }: AnyOptions) {
    this.#source = token;
    this.#isTelles = role === 'customer' && token === undefined;
    this.#storage = this.#isTelles ? storage : undefined;
    this.#key = `telle/${dealerId}/${groupId}`;
  }

  /** True where the application can be asked for another token. */
  get canAsk(): boolean {
    return typeof this.#source === 'function';
  }

  /** The token to join with; a customer may have none yet. */
  async get(): Promise<string | undefined> {
    this.#token ??= await this.#fetch();
    return this.#token;
  }

  async #fetch(): Promise<string | undefined> {
    const source = this.#source;
    if (typeof source === 'function') return source();
    return source ?? this.#storage?.getItem(this.#key) ?? undefined;
  }

  /** A session has handed out a token: whoever has no other remembers it. */
  keep(token: string | undefined): void {
    if (!this.#isTelles || token === undefined) return;
    this.#token = token;
    try {
      this.#storage?.setItem(this.#key, token);
    } catch {
      // A storage that is full or forbidden forgets: this client still has it.
    }
  }

  /** The token was refused: it is of no more use. @returns it */
  forget(): string | undefined {
    const token = this.#token;
    if (this.#storage?.getItem(this.#key) === token) this.#storage?.removeItem(this.#key);
    this.#token = undefined;
    return token;
  }

  /**
   * [P-4] Renews the token before it expires, over and over. A time that has been, or NaN, says that there is no telling:
   * then the server will tell.
   * @param refresh is handed each new token; none where a new join is what renews it
   */
  renew(expiresAt: number, refresh: (token?: string) => void): void {
    this.rest();
    const left = expiresAt - Date.now();
    if (!(left > 0)) return;
    const wait = Math.max(left / 2, left - RENEW_BEFORE, 1000);
    this.#timer = setTimeout(() => this.#renewNow(expiresAt, refresh), Math.min(wait, MAX_TIMER));
  }

  async #renewNow(expiresAt: number, refresh: (token?: string) => void): Promise<void> {
    if (this.#isTelles) refresh();
    if (!this.canAsk) return;
    const round = this.#round;
    const token = await this.#fetch().catch(() => undefined);
    if (round !== this.#round) return;
    if (token !== undefined) {
      this.#token = token;
      refresh(token);
    }
    this.renew(token === undefined ? expiresAt : expiryOf(token), refresh);
  }

  /** There is no connection to renew it for. */
  rest(): void {
    clearTimeout(this.#timer);
    this.#round += 1;
  }
}
