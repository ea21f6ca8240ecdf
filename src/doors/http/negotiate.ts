import accepts from '@fastify/accepts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { refused } from '../../../schemas/errors.ts';
import type { App } from './http.ts';

/** Reads `Accept` for the routes that answer in more than one format. */
export async function negotiateFormats(app: App): Promise<void> {
  await app.register(accepts);
}

/**
 * The format that suits the client best, of those that a route has; the first where it says nothing.
 * @throws RefusedError `not_acceptable`
 */
export function formatFor<const Format extends string>(
  request: FastifyRequest,
  reply: FastifyReply,
  formats: readonly Format[],
): Format {
  const vary = reply.getHeader('vary');
  reply.header('vary', vary === undefined ? 'Accept' : `${vary}, Accept`);
  const wanted = request.accepts().type([...formats]);
  const format = formats.find((each) => each === wanted);
  if (format) return format;
  throw refused('not_acceptable', `this is available as ${formats.join(', ')}`);
}
