/** What the two Redis doors share: an event's text is taken, or kept as a dead letter with the reason [P-6.3]. */
import { randomBytes } from 'node:crypto';
import { type Refusal, RefusedError, refused } from '../../../schemas/errors.ts';
import { ALL_DEALERS } from '../../../schemas/table.ts';
import type { Session } from '../../auth/session.ts';
import type { Outcome } from '../../journal/batch.ts';
import type { DeadLetter } from '../../journal/store.ts';
import { isJsonObject } from '../../protocol/checker.ts';
import { commandOf } from '../command.ts';
import type { Core } from '../core.ts';

/** Whoever may publish to Redis may speak for any dealer: Redis is inside the platform. */
const SESSION: Session = { role: 'server', dealerId: ALL_DEALERS, name: 'redis' };

/** Where a dead letter came from. */
type Source = DeadLetter['source'];

/**
 * Decides and stores an event.
 * @param key by which a repeat is known, where the event brings none
 * @throws RefusedError where it is not one
 */
export async function takeEvent({ journal, settings }: Core, text: string, key?: string): Promise<Outcome> {
  if (Buffer.byteLength(text) > settings.MAX_FRAME_BYTES) {
    throw refused('too_large', `expected at most ${settings.MAX_FRAME_BYTES} bytes`);
  }
  return journal.append(commandOf(SESSION, 'event', parse(text), key));
}

function parse(text: string): Record<string, unknown> {
  let payload: unknown;
  try {
    payload = JSON.parse(text);
  } catch {
    throw refused('bad_frame', 'the event is not JSON');
  }
  if (!isJsonObject(payload)) throw refused('bad_frame', 'the event is not a JSON object');
  return payload;
}

/**
 * Takes an event, or buries it. Nothing is lost: what is neither is to be tried again.
 * @throws RefusedError `unavailable` where neither could be stored
 */
export async function takeOrBury(core: Core, source: Source, text: string): Promise<void> {
  const refusal = await refusalOf(core, text);
  if (!refusal) return;
  if (refusal.code === 'unavailable') throw new RefusedError(refusal);
  await bury(core, source, text, refusal);
}

async function refusalOf(core: Core, text: string): Promise<Refusal | null> {
  try {
    const outcome = await takeEvent(core, text);
    return 'refusal' in outcome ? outcome.refusal : null;
  } catch (error) {
    if (error instanceof RefusedError) return error.refusal;
    core.log.error({ err: error }, 'an event from Redis could not be handled');
    return { code: 'internal', message: 'this could not be handled' };
  }
}

/** Keeps what was refused, whole, with the reason [P-6.3]. */
async function bury({ store, log, metrics }: Core, source: Source, payload: string, refusal: Refusal): Promise<void> {
  const at = Date.now();
  const { code, message, details } = refusal;
  await store.bury({ deadLetterId: letterId(at), source, payload, code, message, details: details ?? [], at });
  metrics.buried(code);
  log.warn({ source, code }, 'an event from Redis was refused: it is kept as a dead letter');
}

/** Ids in the order of their time. */
const letterId = (at: number): string => `${at.toString(36).padStart(9, '0')}-${randomBytes(6).toString('hex')}`;
