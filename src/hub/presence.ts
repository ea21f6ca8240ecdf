/** [P-7.5] Presence: who has a live socket here, and who has been without one for longer than the grace. */

/** A customer, by its group, or an admin or a server of a dealer. */
export type Who =
  | { readonly role: 'customer'; readonly dealerId: string; readonly groupId: string }
  | { readonly role: 'admin'; readonly dealerId: string; readonly adminId: string }
  | { readonly role: 'server'; readonly dealerId: string; readonly name: string };

function nameOf(who: Who): string {
  if (who.role === 'customer') return who.groupId;
  return who.role === 'admin' ? who.adminId : who.name;
}

const keyOf = (who: Who): string => `${who.dealerId}/${who.role}/${nameOf(who)}`;

interface Options {
  /** Milliseconds without a socket after which somebody is gone. */
  readonly grace: number;
  /** Tells it. While it rejects, it is told again after another grace. */
  readonly gone: (who: Who) => Promise<void>;
}

export class Presence {
  readonly #sockets = new Map<string, { readonly who: Who; count: number }>();
  readonly #leaving = new Map<string, NodeJS.Timeout>();
  readonly #options: Options;
  #closed = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** A socket of theirs has come. */
  came(who: Who): void {
    const key = keyOf(who);
    clearTimeout(this.#leaving.get(key));
    this.#leaving.delete(key);
    const sockets = this.#sockets.get(key);
    if (sockets) sockets.count += 1;
    else this.#sockets.set(key, { who, count: 1 });
  }

  /** Counts their sockets here. */
  sockets(who: Who): number {
    return this.#sockets.get(keyOf(who))?.count ?? 0;
  }

  /** A socket of theirs has gone. */
  left(who: Who): void {
    const key = keyOf(who);
    const sockets = this.#sockets.get(key);
    if (sockets && sockets.count > 1) {
      sockets.count -= 1;
      return;
    }
    this.#sockets.delete(key);
    this.#expect(who);
  }

  /** They have no socket any more, and the grace to come back. */
  #expect(who: Who): void {
    const key = keyOf(who);
    if (this.#closed || this.#sockets.has(key) || this.#leaving.has(key)) return;
    this.#leaving.set(key, setTimeout(() => this.#tell(key, who), this.#options.grace).unref());
  }

  /** Everybody who has a socket here. */
  here(): Who[] {
    return [...this.#sockets.values()].map(({ who }) => who);
  }

  /** Tells nothing more: the next start finds in the database who was here. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#leaving.values()) clearTimeout(timer);
    this.#leaving.clear();
  }

  #tell(key: string, who: Who): void {
    this.#leaving.delete(key);
    this.#options.gone(who).catch(() => this.#expect(who));
  }
}
