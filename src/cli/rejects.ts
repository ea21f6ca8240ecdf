/** The file of what was not taken: a line of JSON each, with the reason. It is made with the first of them, and is its owner's alone. */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { PRIVATE } from '../private-file.ts';

export class Rejects {
  readonly file: string;
  #handle: number | null = null;
  count = 0;

  constructor(file: string) {
    this.file = file;
    rmSync(file, { force: true });
  }

  /** @param where a line's number, or what else names it */
  add(where: number | string, reason: string, text: string): void {
    this.#handle ??= openSync(this.file, 'wx', PRIVATE);
    writeSync(this.#handle, `${JSON.stringify({ line: where, reason, text })}\n`);
    this.count += 1;
  }

  close(): void {
    if (this.#handle !== null) closeSync(this.#handle);
  }
}
