/** `telle publish`: says events as another server does, over HTTP or over Redis. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Settings } from '../../schemas/settings.ts';
import { ALL_DEALERS } from '../../schemas/table.ts';
import { clientOf } from '../bus/connection.ts';
import { isJsonObject } from '../protocol/checker.ts';
import { progressBar } from './progress.ts';
import { reasonOf } from './reason.ts';
import { tokenFor } from './server-token.ts';
import { UsageError } from './usage-error.ts';

/** Events that go in one request. */
const AT_ONCE = 500;

export interface PublishRequest {
  readonly url: string;
  readonly token?: string;
  readonly file?: string;
}

interface Line {
  readonly number: number;
  readonly text: string;
}

/** Outcome of a line: null where it was taken, else the reason. */
type Answer = string | null;
type Send = (lines: readonly Line[]) => Promise<Answer[]>;

/**
 * @param words an event as JSON, or as `field=value` words; none: lines of JSON are read from the file or stdin
 */
export async function publish(settings: Settings, words: readonly string[], request: PublishRequest): Promise<void> {
  const input = words.length > 0 ? [{ number: 1, text: eventOf(words) }] : linesOf(request.file);
  const { send, close } = settings.REDIS_URL === undefined ? await overHttp(settings, request) : overRedis(settings);
  const counts = { taken: 0, refused: 0 };
  const bar = progressBar('events');
  try {
    for await (const lines of groupsOf(input)) {
      const answers = await send(lines);
      for (const [index, answer] of answers.entries()) {
        if (answer === null) counts.taken += 1;
        else {
          counts.refused += 1;
          process.stderr.write(`line ${lines[index]?.number}: ${answer}\n`);
        }
      }
      bar.add(lines.length);
    }
  } catch (error) {
    throw new Error(`${reasonOf(error)} (${counts.taken} were taken until then)`, { cause: error });
  } finally {
    bar.end();
    close();
  }
  process.stdout.write(`${counts.taken} taken, ${counts.refused} refused\n`);
  if (counts.refused > 0) process.exitCode = 1;
}

/** One event from the command line's words. */
function eventOf(words: readonly string[]): string {
  const text = words.join(' ');
  if (text.trimStart().startsWith('{')) return text;
  const fields = words.map((word) => {
    const [, name, value] = /^([A-Za-z]+)=(.*)$/s.exec(word) ?? [];
    if (name === undefined || value === undefined)
      throw new UsageError(`"${word}" is not field=value, nor a JSON object`);
    return [name, meaningOf(value)] as const;
  });
  return JSON.stringify(Object.fromEntries(fields));
}

/** `true`, `false` and objects are JSON; anything else is text as it is. */
function meaningOf(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  if (!text.startsWith('{')) return text;
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`"${text}" begins like JSON and is none`);
  }
}

async function* linesOf(file: string | undefined): AsyncGenerator<Line> {
  const input = file === undefined ? process.stdin : createReadStream(file);
  let number = 0;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (text.trim() !== '') yield { number, text };
  }
}

async function* groupsOf(lines: Iterable<Line> | AsyncIterable<Line>): AsyncGenerator<Line[]> {
  let group: Line[] = [];
  for await (const line of lines) {
    group.push(line);
    if (group.length < AT_ONCE) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

function parsed({ text }: Line): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

async function overHttp(settings: Settings, { url, token }: PublishRequest): Promise<{ send: Send; close(): void }> {
  const bearer = await tokenFor(settings, token, { role: 'server', dealer: ALL_DEALERS, sub: 'telle-publish' });
  const send: Send = async (lines) => {
    const events = lines.map(parsed);
    const good = events.filter((event) => event !== null);
    const results = good.length === 0 ? [] : await post(url, bearer, good);
    return events.map((event) => (event === null ? 'not a JSON object' : refusalIn(results.shift())));
  };
  return { send, close: () => {} };
}

async function post(url: string, token: string, events: readonly object[]): Promise<unknown[]> {
  const response = await fetch(new URL('/v1/events', url), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(events),
  }).catch((cause: unknown) => {
    throw new Error(`${url} does not answer: ${reasonOf(cause)}`, { cause });
  });
  const body: unknown = await response.json().catch(() => null);
  if (isJsonObject(body) && Array.isArray(body.results)) return body.results;
  const why = isJsonObject(body) && typeof body.detail === 'string' ? body.detail : response.statusText;
  throw new Error(`${url} answers ${response.status}: ${why}`);
}

function refusalIn(result: unknown): Answer {
  if (!isJsonObject(result) || !isJsonObject(result.error)) return null;
  const { code, message } = result.error;
  return `${String(code)}: ${String(message)}`;
}

/** The stream: what is in it is stored, or kept as a dead letter, sooner or later. */
function overRedis({ REDIS_URL, REDIS_PREFIX }: Settings): { send: Send; close(): void } {
  const redis = clientOf(REDIS_URL ?? '', { maxRetriesPerRequest: 3 });
  redis.on('error', () => {}); // each command says it too
  const send: Send = async (lines) => {
    const events = lines.map(parsed);
    const pipeline = redis.pipeline();
    for (const event of events) {
      if (event) pipeline.xadd(`${REDIS_PREFIX}ingress`, '*', 'event', JSON.stringify(event));
    }
    const answers = (await pipeline.exec()) ?? [];
    return events.map((event) => (event === null ? 'not a JSON object' : (answers.shift()?.[0]?.message ?? null)));
  };
  return { send, close: () => redis.disconnect() };
}
