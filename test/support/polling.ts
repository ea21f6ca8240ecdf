/** Engine.IO by hand: polls as a client that keeps to nothing might send them. */

/** One session that is polled. */
export class Polling {
  readonly #url: string;
  readonly sid: string;
  /** The packet that opened it. */
  readonly opened: Record<string, unknown>;

  private constructor(url: string, opened: Record<string, unknown>) {
    this.#url = url;
    this.opened = opened;
    this.sid = String(opened.sid);
  }

  static async open(at: string, revision = 4, headers: Record<string, string> = {}): Promise<Polling> {
    const url = `http://${at}/socket.io/?EIO=${revision}&transport=polling`;
    const response = await fetch(url, { headers });
    if (response.status !== 200) throw new Error(`it was not opened: ${response.status}`);
    // The first packet holds no object within.
    const [packet = ''] = /\{[^}]*\}/.exec(await response.text()) ?? [];
    return new Polling(url, JSON.parse(packet));
  }

  post(body: string | ReadableStream, headers: Record<string, string> = {}): Promise<Response> {
    const url = `${this.#url}&sid=${this.sid}`;
    const init = { method: 'POST', body, headers: { 'content-type': 'text/plain;charset=UTF-8', ...headers } };
    return fetch(url, { ...init, ...(typeof body !== 'string' && { duplex: 'half' }) });
  }

  /** What waits for it, as it comes. */
  async poll(): Promise<string> {
    return (await fetch(`${this.#url}&sid=${this.sid}`)).text();
  }

  /** Polls until something comes. @returns all that came */
  async until(what: RegExp): Promise<string> {
    let all = '';
    while (!what.test(all)) {
      const response = await fetch(`${this.#url}&sid=${this.sid}`);
      if (response.status !== 200) throw new Error(`${what} did not come, but ${response.status} after: ${all}`);
      all += await response.text();
    }
    return all;
  }
}
