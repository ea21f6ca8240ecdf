/** All that a server logs, kept. */
import { Writable } from 'node:stream';

export class LogSink extends Writable {
  #chunks: Buffer[] = [];

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  /** Every line, as the record that it is; throws where one is none. */
  records(): Record<string, unknown>[] {
    const lines = this.text.split('\n');
    if (lines.pop() !== '') throw new Error('the log does not end with a line');
    return lines.map((line) => {
      const record: unknown = JSON.parse(line);
      if (typeof record !== 'object' || record === null || !('level' in record)) throw new Error(`no record: ${line}`);
      return { ...record };
    });
  }
}
