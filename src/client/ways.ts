/** [P-22.3] The way that a client goes: by WebSocket, or by a stream where WebSockets are blocked. */
import type { SocketClass } from './types.ts';

/** Tries by WebSocket before a stream is tried; more of them where one has worked: then it is rather the server that is away. */
const TRIES = 2;
const MORE_TRIES = 5;
/** Time after which a WebSocket is tried again, at the next new connection, in ms. */
const AGAIN = 600_000;

/** The servers to which no WebSocket got through and a stream did, and since when: of the whole page. */
const streamed = new Map<string, number>();

/** Gives the class of streams, when it is needed. */
export type StreamLoader = () => Promise<{ readonly Stream: SocketClass }>;

export class Ways {
  readonly #url: string;
  readonly #webSocket: SocketClass;
  readonly #load: StreamLoader;
  #failures = 0;
  #tries = TRIES;
  #isStream = false;
  /** True while one is tried by which nothing has come yet. */
  #isTrying = false;

  constructor(url: string, webSocket: SocketClass, load: StreamLoader) {
    this.#url = url;
    this.#webSocket = webSocket;
    this.#load = load;
  }

  /** The class of the socket that is to be tried next. */
  async next(): Promise<SocketClass> {
    const isKnown = Date.now() - (streamed.get(this.#url) ?? 0) < AGAIN;
    this.#isTrying = true;
    this.#isStream = isKnown || this.#failures >= this.#tries;
    return this.#isStream ? (await this.#load()).Stream : this.#webSocket;
  }

  /** Something came. */
  worked(): void {
    if (!this.#isTrying) return;
    this.#isTrying = false;
    if (!this.#isStream) this.#tries = MORE_TRIES;
    else if (this.#failures > 0) streamed.set(this.#url, Date.now());
    this.#failures = 0;
  }

  /** It broke. @param isHung whether the whole time for an answer went by: that is not waited for again */
  broke(isHung: boolean): void {
    if (!this.#isTrying) return;
    this.#isTrying = false;
    if (this.#isStream) {
      this.#failures = 0;
      streamed.delete(this.#url);
    } else this.#failures += isHung ? MORE_TRIES : 1;
  }
}
