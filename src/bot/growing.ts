/** An answer as it grows [P-18.2]: shown from time to time, the last state in any case, one frame at a time. */

/** Time between two states that are shown, in milliseconds: everybody in the conversation is sent each. */
const PAUSE_MS = 150;

/** [P-2.5] The most characters of a message. */
export const MAX_TEXT = 4000;

/** Text cut to what a message holds. A character is a code point. */
export function cut(text: string): string {
  if (text.length <= MAX_TEXT) return text;
  const characters = [...text];
  return characters.length <= MAX_TEXT ? text : `${characters.slice(0, MAX_TEXT - 1).join('')}…`;
}

export class Growing {
  readonly #show: (text: string) => Promise<unknown>;
  #text = '';
  #isBusy = false;
  #isOver = false;

  /** @param show shows one state of it, and resolves when that has been taken or refused */
  constructor(show: (text: string) => Promise<unknown>) {
    this.#show = show;
  }

  set(text: string): void {
    if (this.#isOver) return;
    this.#text = text;
    if (!this.#isBusy) void this.#run(text);
  }

  /** Shows nothing any more. */
  end(): void {
    this.#isOver = true;
  }

  async #run(text: string): Promise<void> {
    this.#isBusy = true;
    await this.#show(text);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    this.#isBusy = false;
    if (!this.#isOver && this.#text !== text) void this.#run(this.#text);
  }
}

const isGrowing = (answer: unknown): answer is Iterable<string> | AsyncIterable<string> =>
  typeof answer === 'object' && answer !== null && (Symbol.asyncIterator in answer || Symbol.iterator in answer);

/** Rejects with a signal's reason as soon as it is aborted: an answer that ignores the signal is left where it is. */
function unlessAborted<Value>(signal: AbortSignal, work: Promise<Value> | Value): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}

/** Tells what yields the parts that no more are wanted, and does not wait for it. */
async function giveUp(parts: Iterator<string> | AsyncIterator<string>): Promise<void> {
  try {
    await parts.return?.();
  } catch {
    // It was to end, and has.
  }
}

/**
 * Waits for what an answer comes to in the end.
 * @param grown is told each longer state of one that grows
 */
export async function outcomeOf<Whole>(
  answer: Promise<Whole | Iterable<string> | AsyncIterable<string>>,
  signal: AbortSignal,
  grown: (text: string) => void,
): Promise<Whole | string> {
  const given = await unlessAborted(signal, answer);
  if (!isGrowing(given)) return given;
  const parts = Symbol.asyncIterator in given ? given[Symbol.asyncIterator]() : given[Symbol.iterator]();
  let text = '';
  try {
    while (text.length <= MAX_TEXT * 2) {
      const part = await unlessAborted(signal, parts.next());
      if (part.done) return text;
      if (typeof part.value !== 'string') throw new TypeError('each part of an answer must be text');
      text += part.value;
      if (text !== '') grown(cut(text));
    }
  } finally {
    void giveUp(parts);
  }
  return text;
}
