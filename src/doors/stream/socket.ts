/** [P-22] An answer that does not end, as a conversation sees it: what is sent are its events, and posts bring what the client says. */
import type { ServerResponse } from 'node:http';
import type { CloseCode } from '../../../schemas/errors.ts';
import { refused } from '../../../schemas/errors.ts';
import type { Socket } from '../../conversation/socket.ts';

/** An event as it is written [WHATWG HTML, 9.2]. No text of ours has a line break in it. */
const event = (name: string, text: string): Buffer => Buffer.from(`event: ${name}\ndata: ${text}\n\n`);

let lastText: string | undefined;
let lastEvent: Buffer = Buffer.alloc(0);

/** The hub hands the same text to one socket after another: it is written for the first. */
function frameOnce(text: string): Buffer {
  if (text !== lastText) {
    lastText = text;
    lastEvent = Buffer.from(`data: ${text}\n\n`);
  }
  return lastEvent;
}

export class StreamSocket implements Socket {
  readonly #stream: ServerResponse;
  readonly #closeTimeout: number;
  #isClosed = false;
  #isPaused = false;
  /** Answer to the last post. */
  #post: ServerResponse | null = null;
  #read: () => void = () => {};

  /** @param closeTimeout time that a closed one may take to read what was sent before, in ms */
  constructor(stream: ServerResponse, closeTimeout: number) {
    this.#stream = stream;
    this.#closeTimeout = closeTimeout;
    stream.on('error', () => {}); // its close says it
    stream.on('close', () => this.#read());
  }

  get isOpen(): boolean {
    return !this.#isClosed && !this.#stream.destroyed;
  }

  /** True where a post may begin: no other is under way. */
  get isFree(): boolean {
    return this.isOpen && (this.#post === null || this.#post.writableEnded || this.#post.destroyed);
  }

  get unsent(): number {
    return this.#stream.writableLength;
  }

  /** Tells by which name it is posted to. */
  open(id: string): void {
    this.#stream.write(event('open', JSON.stringify({ id })));
  }

  send(text: string, onGone?: () => void): void {
    this.#stream.write(frameOnce(text), onGone && (() => onGone()));
  }

  /** [P-2.6] */
  ping(payload: string): void {
    this.#stream.write(event('ping', payload));
  }

  close(code: CloseCode, reason: string): void {
    if (!this.isOpen) return;
    this.#isClosed = true;
    this.#stream.end(event('close', JSON.stringify({ code, reason })));
    const cut = setTimeout(() => this.cut(), this.#closeTimeout);
    this.#stream.once('close', () => clearTimeout(cut));
    this.#read();
  }

  cut(): void {
    this.#stream.destroy();
  }

  /**
   * Begins a post: one at a time, or nobody knew in which order they are. Resolves when it is to be read.
   * @throws RefusedError `conflict`
   */
  async begin(post: ServerResponse): Promise<void> {
    if (!this.isFree) throw refused('conflict', 'another post is under way: wait for its answer');
    this.#post = post;
    if (this.#isPaused && this.isOpen) {
      await new Promise<void>((resolve) => {
        this.#read = resolve;
      });
    }
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#read();
  }
}
