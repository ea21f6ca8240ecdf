/** [P-11.2] `POST /v1/events`: other servers speak over HTTP, one event or up to a thousand at once. */
import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { EVENT_ERRORS, RefusedError, refused } from '../../../schemas/errors.ts';
import { EventResults, Events, MAX_EVENTS } from '../../../schemas/http.ts';
import type { Settings } from '../../../schemas/settings.ts';
import type { Session } from '../../auth/session.ts';
import { commandOf, type Send, submit } from '../../commands/command.ts';
import { inTurns } from '../../commands/turns.ts';
import type { Outcome } from '../../journal/batch.ts';
import { isJsonObject, kindOf } from '../../protocol/checker.ts';
import { isKey } from '../../protocol/decode.ts';
import { ackPayload, errorPayload } from '../../protocol/encode.ts';
import type { Core } from '../core.ts';
import { type Access, authenticateServer, sessionOfRequest } from './authenticate.ts';
import { elementsOf, notJson } from './elements.ts';
import { originOf } from './headers.ts';
import type { App } from './http.ts';
import { sendProblem } from './problem.ts';

/** Parts that take events within their budgets. */
type Taking = Pick<Core, 'journal' | 'budgets' | 'settings' | 'metrics'>;

/** A byte of text may be written in as many, as `\u0041`. */
const MOST_ESCAPED = 6;

export function eventRoutes(app: App, core: Access & Taking): void {
  const { settings } = core;

  const schema = {
    tags: ['events'],
    summary: 'Takes events, one or several',
    description:
      'Each event is taken or refused by itself, in order: 207 where some are refused. A single one that is refused answers with its error, of which `results` is a member.',
    body: Events,
    response: { 200: EventResults, 207: EventResults },
  };
  const options = {
    onRequest: authenticateServer(core),
    bodyLimit: MAX_EVENTS * settings.MAX_FRAME_BYTES,
    // Each event is checked by itself.
    validatorCompiler: () => () => true,
    config: { errors: EVENT_ERRORS },
  };
  const underWay = new Set<Promise<unknown>>();
  /** Carries on to the end though the server drains meanwhile. */
  const answering = async <T>(taken: Promise<T>): Promise<T> => {
    underWay.add(taken);
    try {
      return await taken;
    } finally {
      underWay.delete(taken);
    }
  };
  app.addHook('preClose', async () => {
    await Promise.allSettled(underWay);
  });
  app.register(async (scope) => {
    scope.removeContentTypeParser('application/json');
    // Left as it came: parsed at once, it would hold up everybody else.
    scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
    scope.post('/v1/events', { ...options, schema }, async (request, reply) => {
      const results = await answering(takeAll(core, request));
      const bodies = results.map(({ id, outcome }) => bodyOf(id, outcome));
      const refusals = results.flatMap(({ outcome }) => ('refusal' in outcome ? [outcome.refusal] : []));
      for (const { code } of refusals) core.metrics.refused(code);
      const [refusal] = refusals;
      if (refusal && results.length === 1) return sendProblem(reply, refusal, { results: bodies });
      return reply.code(refusal ? 207 : 200).send({ results: bodies });
    });
  });
}

async function takeAll(core: Taking, request: FastifyRequest): Promise<Result[]> {
  const payloads = await payloadsOf(request.body, core.settings);
  return Promise.all(await inTurns(payloads, (payload) => take(core, request, payload)));
}

/**
 * Payloads of a body, undefined for an event that is too long to be looked at.
 * @throws RefusedError where it is not JSON, or too many
 */
function payloadsOf(body: unknown, { MAX_FRAME_BYTES }: Settings): Promise<unknown[]> {
  let count = 0;
  return inTurns(elementsOf(Buffer.isBuffer(body) ? body : Buffer.alloc(0)), (text) => {
    count += 1;
    if (count > MAX_EVENTS) throw refused('too_large', `expected at most ${MAX_EVENTS} events at once`);
    return text.length > MOST_ESCAPED * MAX_FRAME_BYTES ? undefined : parse(text);
  });
}

function parse(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString());
  } catch {
    throw notJson();
  }
}

interface Result {
  readonly id: string | undefined;
  readonly outcome: Outcome;
}

async function take(core: Taking, request: FastifyRequest, payload: unknown): Promise<Result> {
  const id = isJsonObject(payload) && isKey(payload.id) ? payload.id : undefined;
  const session = sessionOfRequest(request);
  try {
    const send = commandFrom(core, session, payload);
    const from = { session, holder: null };
    return { id, outcome: await new Promise((settle) => submit(core, from, send, originOf(request), settle)) };
  } catch (error) {
    if (error instanceof RefusedError) return { id, outcome: error };
    request.log.error({ err: error }, 'an event could not be handled');
    return { id, outcome: { refusal: { code: 'internal', message: 'this could not be handled' } } };
  }
}

function commandFrom({ settings }: Taking, session: Session, payload: unknown): Send {
  if (payload === undefined || bytesOf(payload) > settings.MAX_FRAME_BYTES) {
    throw refused('too_large', `expected at most ${settings.MAX_FRAME_BYTES} bytes of JSON`);
  }
  if (!isJsonObject(payload)) throw refused('invalid_payload', `expected an object, got ${kindOf(payload)}`);
  return commandOf(session, 'event', payload);
}

function bytesOf(payload: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(payload));
  } catch {
    // What is nested too deeply to be written again was never an event.
    throw refused('invalid_payload', 'the event is nested too deeply');
  }
}

/** [P-8.1, P-9] An ack's payload, or an error's. What its sender gave no id is named by the one that it was given. */
function bodyOf(id: string | undefined, outcome: Outcome) {
  if ('refusal' in outcome) return { error: errorPayload(id, outcome.refusal) };
  return ackPayload(outcome.ack?.id ?? id ?? randomUUID(), outcome.ack);
}
