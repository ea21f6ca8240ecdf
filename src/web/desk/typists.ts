/** People who type, by conversation. Typing ends when nothing more is heard of it. */
import type { Author } from './words.ts';

/** For how long after it was last heard of, in milliseconds. */
const LASTING = 8_000;

interface Typist {
  readonly author: Author;
  /** Answer of a bot so far [P-18.2]. */
  readonly growing: string | undefined;
  /** Ends it. */
  readonly timer: ReturnType<typeof setTimeout>;
}

/** No admin has a name with a slash in it [P-2.7]. */
const nameOf = ({ user, adminId }: Author): string => (adminId === undefined ? user : `${user}/${adminId}`);

export class Typists {
  readonly #changed: () => void;
  /** By conversation and name. */
  readonly #typists = new Map<string, Map<string, Typist>>();

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  of(groupId: string): Author[] {
    return [...(this.#typists.get(groupId)?.values() ?? [])].map(({ author }) => author);
  }

  /** The answer that a bot is writing there, as far as it is told. */
  growingIn(groupId: string): string | undefined {
    return this.#typists.get(groupId)?.get('bot')?.growing;
  }

  set(groupId: string, author: Author, isTyping: boolean, growing?: string): void {
    const typists = this.#typists.get(groupId) ?? new Map<string, Typist>();
    const name = nameOf(author);
    clearTimeout(typists.get(name)?.timer);
    typists.delete(name);
    if (isTyping) {
      const timer = setTimeout(() => this.set(groupId, author, false), LASTING);
      typists.set(name, { author, growing, timer });
    }
    if (typists.size > 0) this.#typists.set(groupId, typists);
    else this.#typists.delete(groupId);
    this.#changed();
  }
}
