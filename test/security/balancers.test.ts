/** The load balancers as they are documented, in front of a server: the world gets its chat, and not its metrics. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runChild } from '../support/child.ts';
import { programOf } from '../support/debian.ts';
import { freePort } from '../support/port.ts';
import { rawHttp } from '../support/raw-http.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { Tally } from '../support/tally.ts';
import { until } from '../support/until.ts';

const ROOT = new URL('../../', import.meta.url);
const CADDY = { binary: 'usr/bin/caddy', packages: ['caddy'], formula: 'caddy' } as const;
const NGINX = { binary: 'usr/sbin/nginx', packages: ['nginx-light', 'nginx-common'], formula: 'nginx' } as const;

/** `/metrics`, as somebody might write it to get past a load balancer. */
const SPELLINGS = [
  '/metrics',
  '/metrics/',
  '/metrics?',
  '/metrics?a=/health',
  '/metrics;a',
  '/metrics%3fa',
  '/metrics%23',
  '/metrics%00',
  '/metrics%2f',
  '/%6detrics',
  '/%6Detric%73',
  '/%256detrics',
  '//metrics',
  '/./metrics',
  '/health/../metrics',
  '/health/%2e%2e/metrics',
  '/health%2f..%2fmetrics',
  '/\\metrics',
  '/METRICS',
  'http://telle/metrics',
];

/** How each is started on a port, in front of a node. */
const BALANCERS: Readonly<Record<string, (port: number, node: string, folder: string) => Promise<() => ChildProcess>>> =
  {
    async caddy(port, node, folder) {
      const { path, env } = programOf(CADDY);
      const config = fileURLToPath(new URL('deploy/Caddyfile', ROOT));
      const own = { ...env, LISTEN: `:${port}`, NODES: node, HOME: folder, XDG_DATA_HOME: folder };
      return () => spawn(path, ['run', '--adapter', 'caddyfile', '--config', config], { env: own, stdio: 'ignore' });
    },
    async nginx(port, node, folder) {
      const { path, env } = programOf(NGINX);
      const docs = await readFile(new URL('docs/operations.md', ROOT), 'utf8');
      const [, documented = ''] = /^```nginx\n(.*?)^```$/ms.exec(docs) ?? assert.fail('nginx is not documented');
      const there = documented
        .replace('listen 8080;', `listen 127.0.0.1:${port};`)
        .replace('server 10.0.0.1:8080;', `server ${node};`)
        .replace('server 10.0.0.2:8080;', '');
      const kept = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `${of}_temp_path ${folder}/${of};`);
      const http = `http { access_log off; ${kept.join(' ')} ${there} }`;
      await writeFile(join(folder, 'nginx.conf'), `daemon off; pid ${folder}/pid; events {} ${http}`);
      const args = ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'];
      return () => spawn(path, args, { env, stdio: 'ignore' });
    },
  };

describe('Load balancers', { timeout: 120_000 }, () => {
  const tally = new Tally('Load balancers');
  let server: TestServer;
  let node: string;

  before(async () => {
    server = await startServer();
    node = await server.listen();
  });
  after(async () => {
    await server.close();
    tally.print();
  });

  for (const [name, starter] of Object.entries(BALANCERS)) {
    test(`let the world chat, and keep the metrics: ${name}`, () =>
      tally.scenario(`metrics past ${name}`, async (attempt) => {
        const folder = await mkdtemp(join(tmpdir(), `telle-${name}-`));
        const port = await freePort();
        const at = `127.0.0.1:${port}`;
        const start = await starter(port, node, folder);
        const isUp = () =>
          rawHttp(at, { path: '/health' }).then(
            ({ status }) => status === 200,
            () => false,
          );
        const child = await runChild({ start, signal: 'SIGTERM', answering: () => until(name, isUp), folder });
        try {
          assert.match((await rawHttp(node, { path: '/metrics' })).body, /telle_connections/, 'the node itself tells');
          for (const path of SPELLINGS) {
            await attempt(path, async () => {
              const { status, body } = await rawHttp(at, { path });
              assert.doesNotMatch(body, /telle_connections/);
              assert.ok(status >= 400, String(status));
            });
          }
          await attempt('a chat', async () => {
            const customer = await server.dial(at);
            const payload = { type: 'CLIENT_JOIN', dealerId: 'd1', user: 'customer', online: true };
            customer.send('client_join', payload);
            await customer.next('session');
          });
        } finally {
          await child.stop();
        }
      }));
  }
});
