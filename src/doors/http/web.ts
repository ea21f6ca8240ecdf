/** Files for browsers: the widget's script, pages with their scripts and styles, and a way to the demo's desk. */
import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { refused } from '../../../schemas/errors.ts';
import type { Code } from '../../../schemas/sessions.ts';
import { readAsset } from '../../assets.ts';
import type { Core } from '../core.ts';
import type { App } from './http.ts';
import { codeFor, type Signing } from './sessions.ts';

/** Paths, and the files of `dist/web` that answer them. */
const FILES: Readonly<Record<string, string>> = {
  '/telle.js': 'telle.js',
  '/widget.js': 'widget.js',
  '/widget-more.js': 'widget-more.js',
  ...wordsOf('ar', 'de', 'es', 'fr', 'he', 'ja', 'pt', 'zh'),
  '/desk': 'desk.html',
  '/desk.css': 'desk.css',
  '/desk.js': 'desk.js',
  '/desk-worker.js': 'desk-worker.js',
  '/welcome.css': 'welcome.css',
  '/welcome.js': 'welcome.js',
};

/** Files of the widget's words in other languages than its own. */
function wordsOf(...languages: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(languages.map((each) => [`/widget.${each}.json`, `widget.${each}.json`]));
}

/** The page at `/` for newcomers: who may not see it sees the server's name and health. */
const WELCOME = 'welcome.html';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
};

/** Files that any page of any site may load. The others are for this server's own pages, and asked for anew each time. */
const PUBLIC = /^\/(telle\.js|widget[.-].*)$/;
const HEADERS = {
  public: {
    'access-control-allow-origin': '*',
    'cross-origin-resource-policy': 'cross-origin',
    'cache-control': 'public, max-age=3600',
  },
  own: { 'cache-control': 'no-cache' },
};

/** For people: not in the document of what programs ask. */
const UNLISTED = { schema: { hide: true } };

/** A file as it is sent. */
interface Asset {
  readonly type: string;
  readonly etag: string;
  readonly plain: Buffer;
  readonly zipped: Buffer;
}

/** Answers what the build has made. Where it has not been run, there is nothing to answer. */
export function webRoutes(app: App, core: Signing & Pick<Core, 'settings' | 'limits'>): void {
  const { settings, limits } = core;
  for (const [path, name] of Object.entries(FILES)) {
    const asset = assetOf(name);
    if (!asset) continue;
    const headers = PUBLIC.test(path) ? HEADERS.public : HEADERS.own;
    app.get(path, UNLISTED, async (request, reply) => sendAsset(request, reply.headers(headers), asset));
  }

  const welcome = assetOf(WELCOME);
  app.get('/', UNLISTED, async (request, reply) => {
    if (welcome && isWelcome(request, settings.WELCOME)) return sendAsset(request, reply.headers(HEADERS.own), welcome);
    return { name: 'telle', status: 'ok' };
  });

  const onRequest = (request: FastifyRequest) => limits.byAddress(request);
  app.post('/desk/demo', { ...UNLISTED, onRequest }, (request) => demoCode(core, request));
}

/** The dealer that a new embedded database has, and its agent. */
const DEMO = { dealerId: 'demo', adminId: 'alice' };

/**
 * A code for the demo's desk, where this machine's own page asks for it.
 * @throws RefusedError `unknown_route` to anybody else, `unknown_dealer` where it was removed
 */
async function demoCode(core: Signing & Pick<Core, 'settings'>, request: FastifyRequest): Promise<Code> {
  if (core.settings.WELCOME === 'off' || !isNear(request) || !isOwnPage(request)) {
    throw refused('unknown_route', 'there is no such path');
  }
  return codeFor(core, DEMO.dealerId, DEMO.adminId);
}

function assetOf(name: string): Asset | null {
  const plain = read(`dist/web/${name}`);
  if (!plain) return null;
  const hash = createHash('sha256').update(plain).digest('base64url').slice(0, 22);
  // Weak, for it is the same one zipped and not.
  return { type: TYPES[extname(name)] ?? '', etag: `W/"${hash}"`, plain, zipped: gzipSync(plain, { level: 9 }) };
}

function read(name: string): Buffer | null {
  try {
    return readAsset(name);
  } catch {
    return null;
  }
}

function sendAsset(request: FastifyRequest, reply: FastifyReply, { type, etag, plain, zipped }: Asset): FastifyReply {
  reply.headers({ etag, vary: 'accept-encoding' });
  if (type === TYPES['.html']) reply.header('content-security-policy', policyOf(request.headers.host));
  if (request.headers['if-none-match']?.split(/, */).includes(etag)) return reply.code(304).send();
  reply.type(type);
  const isZipped = request.accepts().encoding(['gzip', 'identity']) === 'gzip';
  return isZipped ? reply.header('content-encoding', 'gzip').send(zipped) : reply.send(plain);
}

/**
 * A page runs and asks for nothing but this server's, and shows nothing else but pictures that messages hold [P-18.1]. Not every browser
 * takes 'self' for its sockets as well.
 */
export function policyOf(host = ''): string {
  const sockets = /^[\w.:[\]-]+$/.test(host) ? ` ws://${host} wss://${host}` : '';
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `connect-src 'self'${sockets}`,
    "img-src 'self' data: https:",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;
const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;
/** Headers by which a proxy names whom it speaks for. */
const FORWARDED = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip'];

/**
 * Tells whether the newcomer's page is for this request: `local` means a browser on this machine, and nobody through a
 * proxy.
 */
const isWelcome = (request: FastifyRequest, welcome: 'on' | 'local' | 'off'): boolean =>
  welcome === 'local' ? isNear(request) : welcome === 'on';

/** Tells whether a program on this machine asks, by a name that no other machine can have in a browser's eyes. */
function isNear({ socket, headers }: FastifyRequest): boolean {
  const isLocal = LOOPBACK.test(socket.remoteAddress ?? '') && LOCAL_HOST.test(headers.host ?? '');
  return isLocal && FORWARDED.every((name) => headers[name] === undefined);
}

/** Tells whether a browser asks for a page of this server: another site's cannot say so. */
function isOwnPage({ headers, protocol }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site'] ?? 'same-origin';
  return headers.origin === `${protocol}://${headers.host}` && site === 'same-origin';
}
