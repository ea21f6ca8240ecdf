/** [P-20.1] Lines of older systems: events of the past, each a payload that another server may send, with its time and its id. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Body } from '../../schemas/accepted.ts';
import { RefusedError } from '../../schemas/errors.ts';
import { recall } from '../domain/recall.ts';
import type { Command } from '../domain/state.ts';
import { bodyDecoder, isKey } from '../protocol/decode.ts';
import type { CommitStore } from '../store/commits.ts';
import type { Changes, Needs, Rows } from '../store/rows.ts';
import { noChanges, planOf, runBatch } from './batch.ts';

/** The end of a line: it is kept now, or was before, or is not taken, and why. */
export type Verdict = 'taken' | 'repeated' | { readonly reason: string };

/** Pause before rows are tried again that somebody else has locked, in ms, and tries. */
const PAUSE = 200;
const TRIES = 50;

/** RFC 3339, or milliseconds since 1970. */
const INSTANT = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** When a line's event was, in ms since 1970. @throws where it does not say so */
export function timeOf({ at }: Readonly<Record<string, unknown>>, now: number): number {
  const time = typeof at === 'string' && INSTANT.test(at) ? Date.parse(at) : at;
  if (typeof time !== 'number' || !Number.isInteger(time) || time < 0)
    throw new Error('at: expected RFC 3339 with a zone, such as 2019-09-30T19:56:28.723Z, or ms since 1970');
  if (time > now) throw new Error('at: is in the future');
  return time;
}

/** The one who said it, as far as it is known: by it, and the id, a repeat is known. */
function senderOf(body: Body): string {
  const [user, groupId, adminId] = ['user', 'groupId', 'adminId'].map((name) => Reflect.get(body, name));
  if (user === 'customer') return `customer:${groupId}`;
  return adminId === undefined ? 'server:import' : `admin:${adminId}`;
}

/** @throws RefusedError, or another error in words, where it is not understood */
export function commandOf(value: Readonly<Record<string, unknown>>, now: number): Command {
  const at = timeOf(value, now);
  const { id } = value;
  if (!isKey(id)) throw new Error('id: expected 1 to 64 of A-Z a-z 0-9 . _ : -, by which a repeat is known');
  const body = bodyDecoder('server', 'event', value.type)(value);
  return { role: 'server', sender: senderOf(body), key: id, body, at };
}

/** Keeps events of the past, in their order, in one transaction. @param isTrial where nothing is to be kept */
export async function recallAll(
  store: CommitStore,
  commands: readonly Command[],
  now: number,
  isTrial: boolean,
): Promise<Verdict[]> {
  const plan = planOf(commands);
  let verdicts: Verdict[] = [];
  await committed(store, plan.needs, (rows) => {
    for (const [key, parts] of plan.needs.priors) {
      const prior = rows.findPrior(parts);
      if (prior) rows.priors.set(key, prior);
    }
    const { changes, outcomes } = runBatch(rows, plan, {
      policy: { autoMute: false },
      now,
      newId: randomUUID,
      decide: recall,
      onFault: (fault) => {
        throw fault;
      },
    });
    verdicts = outcomes.map((outcome) => {
      if ('refusal' in outcome) return { reason: outcome.refusal.message };
      return outcome.ack?.duplicate ? 'repeated' : 'taken';
    });
    return isTrial ? noChanges(now) : changes;
  });
  return verdicts;
}

/** Commits, however long somebody else has rows of it. */
export async function committed(store: CommitStore, needs: Needs, work: (rows: Rows) => Changes): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    const locked = await store.commit(needs, work);
    if (locked.size === 0) return;
    if (tried === TRIES) throw new Error(`somebody has rows of ${[...locked].join(', ')} locked: try again`);
    await sleep(PAUSE);
  }
}

/** Why a line is not taken, in words. */
export const reasonOf = (fault: unknown): string =>
  fault instanceof RefusedError ? fault.refusal.message : fault instanceof Error ? fault.message : String(fault);
