/** TLS of the server's own: HTTPS and WSS by TLS_CERT and TLS_KEY. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { connect } from 'node:tls';
import { WebSocket } from 'ws';
import { type Authority, type Certificate, makeAuthority, makeUntimely } from '../support/certificates.ts';
import { type ServerProcess, startProcess, telle } from '../support/process.ts';
import { inFolder } from '../support/server.ts';

const PATIENCE = 30_000;
const DAY = 24 * 60 * 60 * 1000;

let authority: Authority;
let pair: Certificate;
let other: Certificate;

before(() => {
  authority = makeAuthority();
  pair = authority.sign('localhost', 90);
  other = authority.sign('localhost', 3);
});

async function write(folder: string, { cert, key }: Certificate): Promise<{ TLS_CERT: string; TLS_KEY: string }> {
  const [TLS_CERT, TLS_KEY] = [join(folder, 'chat.crt'), join(folder, 'chat.key')];
  await Promise.all([writeFile(TLS_CERT, cert), writeFile(TLS_KEY, key)]);
  return { TLS_CERT, TLS_KEY };
}

const trusted = () => ({ ca: authority.cert, servername: 'localhost' });

/** What the server answers over TLS, and when its certificate ends. */
async function get(server: ServerProcess, path: string, headers: Readonly<Record<string, string>> = {}) {
  const asked = request(new URL(path, server.http), { ...trusted(), agent: false, headers }).end();
  const [answer] = await once(asked, 'response');
  const until = Date.parse(answer.socket.getPeerCertificate().valid_to);
  let body = '';
  for await (const text of answer) body += text;
  return { status: answer.statusCode, body, days: Math.round((until - Date.now()) / DAY) };
}

/** Runs what the image's HEALTHCHECK runs. */
async function imageIsHealthy(env: Readonly<Record<string, string>>): Promise<boolean> {
  const dockerfile = await readFile(new URL('../../Dockerfile', import.meta.url), 'utf8');
  const [, words = '[]'] = /HEALTHCHECK.*\n +CMD (\[.*\])/.exec(dockerfile) ?? [];
  const script: string = JSON.parse(words).at(-1);
  const [code] = await once(spawn(process.execPath, ['-e', script], { env }), 'exit');
  return code === 0;
}

describe('TLS_CERT and TLS_KEY', { timeout: 120_000, concurrency: 2 }, () => {
  it('serve HTTPS and WSS, to nobody else, and take another certificate on SIGHUP without losing a socket', () =>
    inFolder(async (folder) => {
      const env = { LOG_LEVEL: 'info', ...(await write(folder, pair)) };
      const server = await startProcess({ cwd: folder, env, patience: PATIENCE });
      try {
        assert.match(server.url, /^wss:/);
        const { body, ...ready } = await get(server, '/ready');
        assert.deepEqual(ready, { status: 200, days: 90 });
        assert.equal(JSON.parse(body).status, 'ready');
        assert.equal((await get(server, '/health', { connection: 'upgrade', upgrade: 'h2c' })).status, 200);
        const socket = new WebSocket(server.url, trusted());
        const said = once(socket, 'message');
        await once(socket, 'open');
        socket.send(JSON.stringify({ channel: 'ping', payload: {} }));
        assert.equal(String((await said)[0]), '{"channel":"pong","payload":{}}');

        const { hostname, port } = new URL(server.http);
        assert.equal(await imageIsHealthy({ PORT: port, TLS_CERT: env.TLS_CERT }), true);
        assert.equal(await imageIsHealthy({ PORT: port }), false);
        const plain = connectPlain(Number(port), hostname).on('error', () => {});
        plain.write('GET /health HTTP/1.1\r\nHost: telle\r\n\r\n');
        let heard = '';
        plain.setEncoding('latin1').on('data', (text) => {
          heard += text;
        });
        await once(plain, 'close');
        assert.doesNotMatch(heard, /"status"/);

        await writeFile(env.TLS_CERT, other.cert);
        process.kill(server.pid, 'SIGHUP');
        await server.says(/the certificate stays as it is: TLS_KEY is not the key/, 'stderr');
        assert.equal((await get(server, '/health')).days, 90);
        await write(folder, other);
        process.kill(server.pid, 'SIGHUP');
        await server.says(/the certificate was read again/, 'stderr');
        assert.equal((await get(server, '/health')).days, 3);
        const again = once(socket, 'message');
        socket.send(JSON.stringify({ channel: 'ping', payload: {} }));
        assert.match(String((await again)[0]), /pong/);
        const closed = once(socket, 'close');
        assert.equal((await server.kill('SIGTERM')).code, 0, server.stderr);
        assert.equal((await closed)[0], 1012);
      } finally {
        await server.kill();
      }
    }));

  it('hold who only connects no longer than JOIN_TIMEOUT', () =>
    inFolder(async (folder) => {
      const env = { JOIN_TIMEOUT: '1s', ...(await write(folder, pair)) };
      const server = await startProcess({ cwd: folder, env, patience: PATIENCE });
      const { hostname, port } = new URL(server.http);
      const silent = connectPlain(Number(port), hostname).on('error', () => {});
      const mute = connect({ ...trusted(), host: hostname, port: Number(port) }).on('error', () => {});
      for (const socket of [silent, mute]) socket.resume();
      await Promise.all([silent, mute].map((socket) => once(socket, 'close')));
      assert.equal((await get(server, '/health')).status, 200);
      await server.kill();
    }));

  const FAULTS: Readonly<Record<string, readonly [env: (folder: string) => Promise<object>, says: RegExp]>> = {
    'one without the other': [
      async (folder) => ({ TLS_CERT: (await write(folder, pair)).TLS_CERT }),
      /TLS_CERT is set, and TLS_KEY is not: set both, or neither/,
    ],
    'a file that is not there': [
      async (folder) => ({ ...(await write(folder, pair)), TLS_KEY: '/nowhere/chat.key' }),
      /TLS_KEY names a file that cannot be read: there is none of that name/,
    ],
    'what is no certificate': [
      async (folder) => write(folder, { ...pair, cert: 'secret' }),
      /TLS_CERT names a file without a certificate: it must be PEM, with -----BEGIN CERTIFICATE-----/,
    ],
    'what is no key': [
      async (folder) => write(folder, { ...pair, key: pair.cert }),
      /TLS_KEY names a file without a private key: it must be PEM, and without a passphrase/,
    ],
    "another one's key": [
      async (folder) => write(folder, { ...pair, key: other.key }),
      /TLS_KEY is not the key of the certificate in TLS_CERT: give the two of one pair/,
    ],
    'one that has ended': [
      async (folder) => write(folder, makeUntimely(2020)),
      /the certificate in TLS_CERT ended on 2020-02-01: renew it/,
    ],
    'one that does not hold yet': [
      async (folder) => write(folder, makeUntimely(2120)),
      /the certificate in TLS_CERT begins on 2120-01-01: use it from then on/,
    ],
  };
  for (const [what, [given, says]] of Object.entries(FAULTS)) {
    it(`are refused in a sentence, which telle doctor says too: ${what}`, () =>
      inFolder(async (folder) => {
        const env = { PORT: '0', LOG_LEVEL: 'silent', ...(await given(folder)) };
        const options = { cwd: folder, env, patience: PATIENCE };
        const serve = await telle(['serve'], options);
        assert.deepEqual({ code: serve.code, stdout: serve.stdout }, { code: 2, stdout: '' });
        assert.match(serve.stderr, says);
        assert.match(serve.stderr, /^telle: .*\n$/);
        const doctor = await telle(['doctor'], options);
        assert.equal(doctor.code, 1);
        assert.match(doctor.stdout, new RegExp(`✗ TLS +${says.source}`));
      }));
  }

  it('are told of by telle doctor: when the certificate ends, and what to do where that is soon', () =>
    inFolder(async (folder) => {
      const run = async (given: Certificate) => {
        const env = { PORT: '0', ...(await write(folder, given)) };
        return (await telle(['doctor'], { cwd: folder, env, patience: PATIENCE })).stdout;
      };
      assert.match(await run(pair), /✓ TLS +the certificate for localhost holds until \d{4}-\d\d-\d\d, for 90 days/);
      assert.match(
        await run(other),
        /! TLS +the certificate for localhost ends on \d{4}-\d\d-\d\d, in 3 days\n +→ renew/,
      );
    }));
});
