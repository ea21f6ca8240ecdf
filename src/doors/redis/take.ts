/** Part that the two Redis doors share: an event's text is taken, or kept as a dead letter with the reason [P-6.3]. */
import { randomBytes } from 'node:crypto';
import { type Refusal, RefusedError, refused } from '../../../schemas/errors.ts';
import { ALL_DEALERS } from '../../../schemas/table.ts';
import type { Session } from '../../auth/session.ts';
import { commandOf } from '../../commands/command.ts';
import { inTurns, turn } from '../../commands/turns.ts';
import type { Outcome } from '../../journal/batch.ts';
import type { Metrics } from '../../metrics.ts';
import { isJsonObject } from '../../protocol/checker.ts';
import type { DeadLetter, LetterStore } from '../../store/letters.ts';
import type { Core } from '../core.ts';
import type { Dialect, Services } from '../dialect.ts';

/** Where a dead letter came from. */
type Source = DeadLetter['source'];
type Payload = Readonly<Record<string, unknown>>;

/** Session of everybody who says something on Redis by one name: whoever may publish there may speak for any dealer: Redis is inside the platform. */
export const sessionOf = ({ name }: { readonly name: string }): Session => ({
  role: 'server',
  dealerId: ALL_DEALERS,
  name,
});

/** A way by which events come: who says them, and how one is read. */
export interface Way {
  readonly source: Source;
  readonly session: Session;
  /** The payloads that one stands for. */
  read(payload: Payload, key?: string): readonly Payload[];
  /** By which names it is kept as a dead letter, where not by those that it says. */
  readonly namesIn?: Services['namesIn'];
}

const own = (source: Source): Way => ({ source, session: sessionOf({ name: 'redis' }), read: (payload) => [payload] });
/** Ways of Telle's own. */
export const WAYS = { events: own('events'), ingress: own('ingress') } as const;

/** The way of other services, in their own words. */
export const dialectWay = (services: Services): Way => ({
  source: 'dialect',
  session: sessionOf(services),
  read: (payload, key) => services.read(payload, key),
  namesIn: (payload) => services.namesIn(payload),
});

/** The way by which a dead letter came. @throws RefusedError where nobody understands it any more */
export function wayOf({ source }: Pick<DeadLetter, 'source'>, dialect: Dialect | null): Way {
  if (source !== 'dialect') return WAYS[source];
  if (dialect) return dialectWay(dialect.services);
  throw refused('invalid_payload', 'this came in the words of other services: set DIALECT to replay it');
}

/** Parts that decide and store an event. */
export type Taking = Pick<Core, 'journal' | 'settings'>;

/** Parts that keep a refused event, and tell of it, too. */
export type Burying = Taking &
  Pick<Core, 'log'> & { readonly store: Pick<LetterStore, 'bury'>; readonly metrics: Pick<Metrics, 'buried'> };

/**
 * Decides and stores an event; of one that stands for several, all together.
 * @param key by which a repeat is known, where the event brings none
 * @returns what became of the last, or of the first that was refused
 * @throws RefusedError where it is not one
 */
export async function takeEvent({ journal, settings }: Taking, way: Way, text: string, key?: string): Promise<Outcome> {
  if (Buffer.byteLength(text) > settings.MAX_FRAME_BYTES) {
    throw refused('too_large', `expected at most ${settings.MAX_FRAME_BYTES} bytes`);
  }
  const payloads = way.read(parse(text), key);
  const [first, ...more] = payloads.map((payload) => commandOf(way.session, 'event', { ...payload }, key));
  if (first === undefined) throw refused('bad_frame', 'the event says nothing');
  if (more.length === 0) return journal.append(first);
  const outcomes = await journal.appendTogether([first, ...more]);
  return outcomes.find((outcome) => 'refusal' in outcome) ?? outcomes.at(-1) ?? journal.append(first);
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

/** The most letters of one transaction: it holds up everybody else. */
const MAX_BURIED = 64;

/**
 * Takes events, in order, and buries those that are refused: some at a time, so that everybody else goes on meanwhile.
 * @returns for each whether it is done with; what could be neither stored nor buried now is to be tried again
 */
export async function takeOrBury(parts: Burying, way: Way, texts: readonly string[]): Promise<boolean[]> {
  const refusals = await Promise.all(await inTurns(texts, (text) => refusalOf(parts, way, text)));
  const isDone = refusals.map((refusal) => refusal === null);
  const at = Date.now();
  const letters = refusals.flatMap((refusal, index) =>
    refusal === null || refusal.code === 'unavailable'
      ? []
      : [{ index, letter: letterOf(way, texts[index] ?? '', refusal, at, index) }],
  );
  for (let from = 0; from < letters.length; from += MAX_BURIED) {
    const some = letters.slice(from, from + MAX_BURIED);
    const areBuried = await bury(
      parts,
      some.map(({ letter }) => letter),
    );
    for (const { index } of some) isDone[index] = areBuried;
    await turn();
  }
  return isDone;
}

async function refusalOf(parts: Burying, way: Way, text: string): Promise<Refusal | null> {
  try {
    const outcome = await takeEvent(parts, way, text);
    return 'refusal' in outcome ? outcome.refusal : null;
  } catch (error) {
    if (error instanceof RefusedError) return error.refusal;
    parts.log.error({ err: error }, 'an event from Redis could not be handled');
    return { code: 'internal', message: 'this could not be handled' };
  }
}

/**
 * Dead letter: a refused event, whole, with the reason [P-6.3]. Ids are in the order of time, and within one moment in
 * that of `index`.
 */
function letterOf(way: Way, payload: string, refusal: Refusal, at: number, index: number): DeadLetter {
  const { code, message, details = [] } = refusal;
  const place = index.toString(16).padStart(4, '0');
  const deadLetterId = `${at.toString(36).padStart(9, '0')}-${place}${randomBytes(4).toString('hex')}`;
  const { source } = way;
  return { deadLetterId, source, payload, code, message, details, at, ...aboutOf(way, payload) };
}

function aboutOf({ namesIn }: Way, text: string): Pick<DeadLetter, 'about'> {
  if (!namesIn) return {};
  try {
    return { about: namesIn(parse(text)) };
  } catch {
    return {};
  }
}

/** @returns whether they are kept: all of them, or else none */
async function bury({ store, log, metrics }: Burying, letters: readonly DeadLetter[]): Promise<boolean> {
  try {
    await store.bury(letters);
  } catch {
    return false; // that the database fails is told where it is asked
  }
  for (const { source, code } of letters) {
    metrics.buried(code);
    log.warn({ source, code }, 'an event from Redis was refused: it is kept as a dead letter');
  }
  return true;
}
