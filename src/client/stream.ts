/** [P-22] A socket for where WebSockets are blocked: what comes is read from an answer that does not end, and what is sent is posted. */
import type { Closed, Socket } from './types.ts';

/** Time in which a stream whose post failed may yet say why, in ms. */
const LAST_WORDS = 1000;
const BROKEN = 1006;

export class Stream implements Socket {
  onopen: () => void = () => {};
  onmessage: (message: { data: string }) => void = () => {};
  onclose: (closed: Closed) => void = () => {};
  onerror: unknown;
  readonly #url: string;
  readonly #leaving = new AbortController();
  #id = '';
  /** Posts, one after the other: none after one that failed. */
  #posts: Promise<void> = Promise.resolve();
  #isOver = false;

  /** @param url the WebSocket's: the stream is beside it */
  constructor(url: string) {
    this.#url = new URL('stream', url.replace(/^ws/, 'http')).href;
    void this.#read();
  }

  send(text: string): void {
    this.#post('', text);
  }

  close(): void {
    queueMicrotask(() => this.#end({ code: 1005, reason: '' }));
  }

  async #read(): Promise<void> {
    try {
      const { body, ok } = await fetch(this.#url, { signal: this.#leaving.signal });
      const reader = body?.getReader();
      const decoder = new TextDecoder();
      let rest = '';
      while (ok && reader) {
        const { value, done } = await reader.read();
        if (done) break;
        const events = (rest + decoder.decode(value, { stream: true })).split('\n\n');
        rest = events.pop() ?? '';
        for (const event of events) this.#hear(event);
      }
    } catch {
      // It broke, or was never there.
    }
    this.#end({ code: BROKEN, reason: '' });
  }

  #hear(event: string): void {
    const [, name, data = ''] = /^(?:event: (\w+)\n)?data: (.*)$/s.exec(event) ?? [];
    if (this.#isOver) return;
    if (name === undefined) this.onmessage({ data });
    else if (name === 'open') {
      this.#id = JSON.parse(data).id;
      this.onopen();
    } else if (name === 'ping') this.#post(`?pong=${data}`, '');
    else if (name === 'close') this.#end(JSON.parse(data));
  }

  #post(query: string, body: string): void {
    this.#posts = this.#posts.then(async () => {
      const init = { method: 'POST', body, signal: this.#leaving.signal };
      const { ok } = await fetch(`${this.#url}/${this.#id}${query}`, init);
      if (!ok) throw new Error();
    });
    this.#posts.catch(() => setTimeout(() => this.#end({ code: BROKEN, reason: '' }), LAST_WORDS));
  }

  #end(closed: Closed): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#leaving.abort();
    this.onclose(closed);
  }
}
