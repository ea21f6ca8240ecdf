/** Weights of commands: their work, in bytes of text, as far as that is known before it is done. */
import { ACCEPTED } from '../../schemas/table.ts';
import { textOf } from '../domain/size.ts';
import type { Command } from '../domain/state.ts';

type Body = Command['body'];

/** The most that a batch may weigh: it holds up the event loop, or others' rows. A command that weighs more is a batch of its own. */
export const BATCH = 128 * 1024;
/** The least that any command weighs: so a batch has no more than 256. */
export const LEAST = BATCH / 256;
/** The weight of a record's update while nobody knows how large the record is: all of it is read, merged and written anew. */
const UNKNOWN_RECORD = 16 * 1024;
/** Records whose weights are kept, some 2 MiB of them; with one more, that begins anew. */
const MAX_KNOWN = 10_000;

export class Weights {
  #records = new Map<string, number>();

  of(body: Body): number {
    // An erasure is a batch of its own: what it erases is what was stored before it, and nothing that came after.
    if (body.type === 'ERASE_GROUP') return BATCH;
    const accepted = ACCEPTED.get(body.type);
    if (accepted?.merges) return this.#records.get(nameOf(body)) ?? UNKNOWN_RECORD;
    let weight = 0;
    for (const field of accepted?.carries ?? []) weight += lengthOf(Reflect.get(body, field));
    return Math.max(LEAST, weight);
  }

  /** Told what a command turned out to weigh: the next update of the same record weighs as much. */
  learn(body: Body, weight: number): void {
    if (this.#records.size >= MAX_KNOWN) this.#records = new Map();
    this.#records.set(nameOf(body), Math.max(LEAST, weight));
  }
}

/** The record that an update is for; of a group's intents, any. */
const nameOf = (body: Body): string => `${body.dealerId}/${'groupId' in body ? body.groupId : ''}/${body.type}`;

/** Length of a value as text; what is neither text nor an object is as good as nothing. */
function lengthOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  return typeof value === 'object' && value !== null ? textOf(value).length : 0;
}
