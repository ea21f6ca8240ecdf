/** [P-11.1] `GET /metrics`, for Prometheus: here, or on a port of its own. */
import { createServer, type Server } from 'node:http';
import { Type } from '@sinclair/typebox';
import type { Core } from '../core.ts';
import { contents } from './contents.ts';
import type { App } from './http.ts';

export function metricsRoutes(app: App, { metrics, settings }: Pick<Core, 'metrics' | 'settings'>): void {
  if (settings.METRICS_PORT !== undefined) return;
  app.get(
    '/metrics',
    {
      schema: {
        tags: ['health'],
        summary: 'What the server counts, for Prometheus',
        response: contents('In the text format.', { 'text/plain': Type.String() }),
      },
    },
    async (_, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  );
}

/** Serves the metrics, and nothing else, on a port that need not be open to the world. */
export async function serveMetrics({
  metrics,
  settings,
  log,
}: Pick<Core, 'metrics' | 'settings' | 'log'>): Promise<Server | null> {
  const { METRICS_PORT: port, HOST: host } = settings;
  if (port === undefined) return null;
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    metrics
      .text()
      .then((text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text))
      .catch((err: unknown) => {
        log.error({ err }, 'the metrics could not be told');
        response.writeHead(500).end();
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', ({ message }) =>
      reject(new Error(`METRICS_PORT is ${port}, which cannot be listened on: ${message}`)),
    );
    server.listen(port, host, resolve);
  });
  log.info({ address: server.address() }, 'serving /metrics on a port of its own');
  return server;
}
