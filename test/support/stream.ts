/** A client of the stream of [P-22] by hand: it posts whatever it is told, right or wrong, and says what came back. */
import type { Connection, Listener, Transport } from '../../conformance/index.ts';
import type { Frame } from './frame.ts';
import { clientJoin } from './joins.ts';
import { Inbox } from './until.ts';

interface Event {
  readonly name: string;
  readonly data: string;
}

function eventOf(text: string): Event {
  const fields = new Map(text.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]));
  return { name: fields.get('event') ?? 'message', data: fields.get('data') ?? '' };
}

export class Stream {
  readonly response: Response;
  readonly events = new Inbox<Event>();
  /** What it was closed with, when its answer has ended; null where it ended without a word. */
  readonly closed: Promise<{ code: number; reason: string } | null>;
  readonly #url: string;
  readonly #hangUp: AbortController;
  /** The posts that are to be made, one after the other. */
  #posts: Promise<unknown> = Promise.resolve();

  private constructor(url: string, response: Response, hangUp: AbortController) {
    this.#url = url;
    this.response = response;
    this.#hangUp = hangUp;
    this.closed = this.#read();
  }

  static async open(at: string, headers: Record<string, string> = {}): Promise<Stream> {
    const url = `http://${at}/stream`;
    const hangUp = new AbortController();
    const response = await fetch(url, { headers, signal: hangUp.signal });
    if (response.status !== 200) throw new Error(`it was not opened: ${response.status} ${await response.text()}`);
    return new Stream(url, response, hangUp);
  }

  async #read() {
    let rest = '';
    try {
      for await (const piece of this.response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        const texts = (rest + piece).split('\n\n');
        rest = texts.pop() ?? '';
        for (const text of texts) this.events.put(eventOf(text));
      }
    } catch {
      // It was cut, or has hung up.
    }
    const last = this.events.items.at(-1);
    return last?.name === 'close' ? JSON.parse(last.data) : null;
  }

  async id(): Promise<string> {
    const [first] = await this.events.first(1);
    return JSON.parse(first?.data ?? '').id;
  }

  /** The frames that came, of a channel. */
  frames(channel: string): Frame[] {
    const frames = this.events.items.filter(({ name }) => name === 'message').map(({ data }) => JSON.parse(data));
    return frames.filter((frame) => frame.channel === channel);
  }

  /** The next frame of a channel, beyond so many of them. */
  async next(channel: string, beyond = 0): Promise<Frame> {
    const isIt = ({ name, data }: Event) => name === 'message' && JSON.parse(data).channel === channel;
    const found = await this.events.first(beyond + 1, isIt);
    return JSON.parse(found.at(-1)?.data ?? '');
  }

  /** Posts at once, whatever else is under way. */
  async post(body: string | Uint8Array<ArrayBuffer> | ReadableStream, query = ''): Promise<Response> {
    const how = body instanceof ReadableStream ? { duplex: 'half' as const } : {};
    return fetch(`${this.#url}/${await this.id()}${query}`, { method: 'POST', body, ...how });
  }

  /** Posts when what was said before is taken. */
  say(text: string, query = ''): void {
    this.#posts = this.#posts.then(() => this.post(text, query)).catch(() => {});
  }

  send(channel: string, payload: object, id?: string): void {
    this.say(JSON.stringify({ channel, payload, id }));
  }

  /** Answers each ping from now on. */
  live(): this {
    this.events.listen(({ name, data }) => name === 'ping' && this.say('', `?pong=${data}`));
    return this;
  }

  hangUp(): void {
    this.#hangUp.abort();
  }
}

/** The protocol over it. */
export const overStream = (at: string): Transport => ({
  async open(listener: Listener, token?: string): Promise<Connection> {
    const stream = await Stream.open(at, token === undefined ? {} : { authorization: `Bearer ${token}` });
    stream.live().events.listen(({ name, data }) => name === 'message' && listener.text(data));
    void stream.closed.then((closed) => listener.closed(closed?.code ?? 1005));
    return { send: (text) => stream.say(text), close: () => stream.hangUp() };
  },
});

/** A frame as it is posted. */
export const frame = (channel: string, payload: object, id?: string): string =>
  JSON.stringify({ channel, payload, id });

/** A stream on which a customer has joined that group. */
export async function joinedStream(groupId: string, at: string): Promise<Stream> {
  const stream = await Stream.open(at);
  stream.send('client_join', clientJoin({ groupId }));
  await stream.next('session');
  return stream;
}
