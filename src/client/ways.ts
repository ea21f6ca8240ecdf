/** [P-22.3] The way that a client goes: by WebSocket, or by a stream where WebSockets are blocked. */
import type { SocketClass } from './types.ts';

/** Tries by WebSocket before a stream is tried. */
const TRIES = 2;
/** Time for which none is tried where a WebSocket has worked, in ms: it is rather the server that is away. */
const PATIENCE = 30_000;
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
  /** Time for which no stream is tried after the first failure, in ms, and when that is over. */
  #patience = 0;
  #notBefore = 0;
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
    const now = Date.now();
    const isKnown = now - (streamed.get(this.#url) ?? 0) < AGAIN;
    this.#isTrying = true;
    this.#isStream = isKnown || (this.#failures >= TRIES && now >= this.#notBefore);
    return this.#isStream ? (await this.#load()).Stream : this.#webSocket;
  }

  /** Something came. */
  worked(): void {
    if (this.#isStream && this.#failures > 0) streamed.set(this.#url, Date.now());
    this.#patience = this.#isStream ? 0 : PATIENCE;
    this.#failures = 0;
    this.#isTrying = false;
  }

  /** It broke. @param isHung whether the whole time for an answer went by: that is not waited for again */
  broke(isHung: boolean): void {
    if (!this.#isTrying) return;
    this.#isTrying = false;
    if (this.#isStream) {
      this.#failures = TRIES - 1; // they take turns from now on
      streamed.delete(this.#url);
    } else {
      if (this.#failures === 0) this.#notBefore = Date.now() + this.#patience;
      this.#failures += isHung ? TRIES : 1;
    }
  }
}
