/** Load balancers as their files in `deploy/` have them, in front of nodes of a test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChild } from './child.ts';
import { programOf } from './debian.ts';
import { freePort } from './port.ts';
import { rawHttp } from './raw-http.ts';
import { until } from './until.ts';

const CADDY = { binary: 'usr/bin/caddy', packages: ['caddy'], formula: 'caddy' } as const;
const NGINX = { binary: 'usr/sbin/nginx', packages: ['nginx-light', 'nginx-common'], formula: 'nginx' } as const;
const HAPROXY = { binary: 'usr/sbin/haproxy', packages: ['haproxy'], formula: 'haproxy' } as const;

const pathOf = (file: string): string => fileURLToPath(new URL(`../../deploy/${file}`, import.meta.url));

/** Makes of a file in `deploy/` one for this machine: other ports, and other nodes in place of the first; the second is left out. */
async function adapted(file: string, listen: readonly [from: string, to: string], nodes: readonly string[]) {
  const lines = (await readFile(pathOf(file), 'utf8')).split('\n').flatMap((line) => {
    if (line.includes('10.0.0.2:8080')) return [];
    if (!line.includes('10.0.0.1:8080')) return [line.replace(...listen)];
    return nodes.map((node, index) => line.replace('node1', `node${index + 1}`).replace('10.0.0.1:8080', node));
  });
  return lines.join('\n');
}

interface Place {
  readonly port: number;
  readonly nodes: readonly string[];
  readonly folder: string;
  readonly idle: string | undefined;
}

type Starter = (place: Place) => Promise<() => ChildProcess>;

/** How each is started on a port. */
const STARTERS = {
  async caddy({ port, nodes, folder }) {
    const { path, env } = programOf(CADDY);
    const own = { ...env, LISTEN: `:${port}`, NODES: nodes.join(' '), HOME: folder, XDG_DATA_HOME: folder };
    const args = ['run', '--adapter', 'caddyfile', '--config', pathOf('Caddyfile')];
    return () => spawn(path, args, { env: own, stdio: 'ignore' });
  },
  async nginx({ port, nodes, folder, idle = '60s' }) {
    const { path, env } = programOf(NGINX);
    const server = await adapted('nginx.conf', ['listen 8080;', `listen 127.0.0.1:${port};`], nodes);
    const kept = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `${of}_temp_path ${folder}/${of};`);
    const timed = server.replace('proxy_read_timeout 60s', `proxy_read_timeout ${idle}`);
    const http = `http { access_log off; ${kept.join(' ')}\n${timed} }`;
    await writeFile(
      join(folder, 'nginx.conf'),
      `daemon off; worker_processes 2; worker_rlimit_nofile 16384; pid ${folder}/pid; events { worker_connections 8192; }\n${http}`,
    );
    return () => spawn(path, ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'], { env, stdio: 'ignore' });
  },
  async haproxy({ port, nodes, folder, idle = '60s' }) {
    const { path, env } = programOf(HAPROXY);
    const file = join(folder, 'haproxy.cfg');
    const config = await adapted('haproxy.cfg', ['bind :8080', `bind 127.0.0.1:${port}`], nodes);
    await writeFile(file, config.replace('timeout tunnel 60s', `timeout tunnel ${idle}`));
    return () => spawn(path, ['-f', file], { env, stdio: 'ignore' });
  },
} satisfies Record<string, Starter>;

type BalancerName = keyof typeof STARTERS;
export const BALANCERS: readonly BalancerName[] = ['caddy', 'nginx', 'haproxy'];

export interface Balancer {
  /** `127.0.0.1:<port>` */
  readonly at: string;
  stop(): Promise<void>;
}

/**
 * Starts one, and resolves when it leads to a node.
 * @param nodes `host:port` of each
 * @param idle how long it lets a socket be silent, in place of what its file says
 */
export async function startBalancer(name: BalancerName, nodes: readonly string[], idle?: string): Promise<Balancer> {
  const folder = await mkdtemp(join(tmpdir(), `telle-${name}-`));
  const port = await freePort();
  const at = `127.0.0.1:${port}`;
  const start = await STARTERS[name]({ port, nodes, folder, idle });
  const isUp = () =>
    rawHttp(at, { path: '/health' }).then(
      ({ status }) => status === 200,
      () => false,
    );
  const { stop } = await runChild({ start, signal: 'SIGTERM', answering: () => until(name, isUp), folder });
  return { at, stop };
}
