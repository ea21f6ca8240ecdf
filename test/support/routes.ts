/** Every route that a server has, as it says itself while it is built: one that is new is found as well. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { FastifyInstance, RouteOptions } from 'fastify';

export interface Route {
  readonly method: string;
  /** With its parameters as `:name`. */
  readonly url: string;
  readonly schema: RouteOptions['schema'];
}

/** Fastify tells of each instance on this channel, before it has a route. */
const CHANNEL = 'fastify.initialization';

/** Builds a server, and says which routes it has. */
export async function withRoutes<Built>(build: () => Promise<Built>): Promise<{ built: Built; routes: Route[] }> {
  const routes: Route[] = [];
  const listen = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance };
    fastify.addHook('onRoute', ({ method, url, schema }) => {
      for (const each of [method].flat()) routes.push({ method: each, url, schema });
    });
  };
  subscribe(CHANNEL, listen);
  try {
    return { built: await build(), routes };
  } finally {
    unsubscribe(CHANNEL, listen);
  }
}
