/** HTTP: bodies, paths, queries and headers that are nearly right, or not at all. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { secondsFromNow, Tokens } from '../../src/auth/tokens.ts';
import type { Dice } from '../support/chance.ts';
import { DEALER, SECRET } from '../support/server.ts';
import { eventsIn } from './corpus.ts';
import { mutated, ofOtherBytes } from './mutate.ts';
import { type Answer, faultOfAnswer } from './oracle.ts';
import type { Fuzz } from './part.ts';

const CONNECTIONS = 32;
/** How long an answer may take, in ms. */
const PATIENCE = 20_000;

const PATHS = [
  '/v1/events',
  '/health',
  '/ready',
  '/ws',
  `/v1/dealers/${DEALER}`,
  '/v1/dealers/fuzz',
  '/v1/dealers',
  `/v1/dealers/${DEALER}/scopes/g1/events`,
  `/v1/dealers/${DEALER}/scopes/@desk/events`,
  `/v1/dealers/${DEALER}/groups`,
  `/v1/dealers/${DEALER}/groups/g1`,
  `/v1/dealers/${DEALER}/leads`,
  '/v1/dead-letters',
  '/v1/dead-letters/x/replay',
];

const PIECES = [
  '',
  '%',
  '%zz',
  '%00',
  '%2e%2e%2f',
  '..',
  '//',
  '*',
  '@',
  '__proto__',
  '%F0%9F%9A%97',
  'é',
  'x'.repeat(300),
  '%ff',
  ';',
  '{}',
  ' ',
];

const QUERIES = ['limit', 'after', 'before', 'cursor', '__proto__', 'limit[]', 'constructor', ''];
const QUERY_VALUES = [
  '',
  '-1',
  '0',
  '1',
  '201',
  '1e9',
  '9007199254740993',
  'NaN',
  'null',
  '%00',
  '%zz',
  'Zm9v',
  'LTE',
  'x'.repeat(2000),
  '%ED%A0%80',
];

const HEADERS = [
  'X-Forwarded-For: 1.2.3.4, \u00ff',
  'Origin: null',
  'Content-Type: text/plain',
  'Content-Type: application/json; charset=\u00ff',
  'Content-Type: application/json\r\nContent-Type: text/html',
  'Content-Length: -1',
  'Content-Length: 1e3',
  'Content-Length: 5\r\nContent-Length: 6',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked, identity',
  'Expect: 100-continue',
  'Upgrade: websocket\r\nConnection: Upgrade',
  'Upgrade: h2c\r\nConnection: Upgrade',
  'Sec-WebSocket-Key: x',
  'Accept: \u0001',
  'No colon at all',
  ' Folded: yes',
  `Long: ${'x'.repeat(17_000)}`,
  `Cookie: ${'a=b; '.repeat(500)}`,
  'Range: bytes=0-0,1-1,2-2',
  'If-None-Match: *',
  'Accept-Encoding: gzip;q=nan',
];

const tokens = new Tokens([SECRET]);
const sign = (dealer: string) => tokens.sign({ role: 'server', dealer, sub: 'crm', exp: secondsFromNow(3600) });
const TOKENS = await Promise.all([sign('*'), sign('*'), sign(DEALER)]);

function pathFrom(dice: Dice): string {
  let path = dice.pick(PATHS);
  if (dice.once(4)) path = path.replace(/[^/]*$/, dice.pick(PIECES));
  if (dice.once(8)) path += dice.pick(PIECES);
  if (dice.once(3))
    path += `?${dice.pick(QUERIES)}=${dice.pick(QUERY_VALUES)}&${dice.pick(QUERIES)}=${dice.pick(QUERY_VALUES)}`;
  return path;
}

/** Bodies: events, several of them, a dealer's settings, all of them changed. */
function bodyFrom(dice: Dice): Buffer {
  const event = () => mutated(dice.pick(eventsIn(`g${dice.below(60)}`)), dice);
  if (dice.once(3)) {
    const events = Array.from({ length: 1 + dice.below(20) }, event).flatMap((each) => [Buffer.from(','), each]);
    return Buffer.concat([Buffer.from('['), ...events.slice(1), Buffer.from(']')]);
  }
  if (dice.once(4)) return mutated({ name: 'Fuzz', origins: ['https://x.example', '*'], retentionDays: 30 }, dice);
  return event();
}

function requestFrom(dice: Dice): Buffer {
  const method = dice.pick([
    'POST',
    'POST',
    'POST',
    'GET',
    'GET',
    'PUT',
    'HEAD',
    'OPTIONS',
    'PATCH',
    'BREW',
    'DELETE /x HTTP/1.1\r\n\r\nGET',
  ]);
  const path = method === 'POST' && !dice.once(4) ? '/v1/events' : pathFrom(dice);
  const hasBody = ['POST', 'PUT', 'PATCH'].includes(method);
  const body = hasBody ? bodyFrom(dice) : Buffer.alloc(0);
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: x'];
  if (!dice.once(8)) lines.push(`Authorization: Bearer ${dice.pick(TOKENS)}`);
  if (hasBody && !dice.once(10)) lines.push('Content-Type: application/json');
  if (dice.once(4)) lines.push(dice.pick(HEADERS));
  if (hasBody && !dice.once(20)) lines.push(`Content-Length: ${body.length}`);
  const head = `${lines.join('\r\n')}\r\n\r\n`;
  if (dice.once(30)) return Buffer.concat([ofOtherBytes(head, dice), body]);
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

/** The first whole answer in what came; null while there is none. */
function answerIn(bytes: Buffer): (Answer & { readonly length: number; readonly isInformational: boolean }) | null {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const head = bytes.subarray(0, headEnd).toString('latin1');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
  const size = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  const length = headEnd + 4 + size;
  const type = /\r\ncontent-type: *([^\r]*)/i.exec(head)?.[1] ?? '';
  const body = bytes.subarray(headEnd + 4, length).toString();
  return { status, type, body, length, isInformational: status < 200 };
}

/** Sends one request on a connection of its own, and waits for its end or its answer. */
async function ask(at: string, request: Buffer): Promise<Answer | null> {
  const [host = '', port] = at.split(':');
  const socket: Socket = connect({ host, port: Number(port) });
  socket.on('error', () => {});
  socket.write(request);
  let bytes = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(new Error('late')), PATIENCE);
  const ended = once(socket, 'close');
  const answered = new Promise<Answer>((resolve) => {
    socket.on('data', (data) => {
      bytes = Buffer.concat([bytes, data]);
      const answer = answerIn(bytes);
      const isHead = request.subarray(0, 5).toString() === 'HEAD ';
      if (answer && (bytes.length >= answer.length || isHead)) resolve(answer);
    });
    // What waits for more of the request is told that none will come.
    setTimeout(() => socket.end(), 300).unref();
  });
  const answer = await Promise.race([answered, ended.then(() => null)]);
  clearTimeout(timer);
  socket.destroy();
  return request.subarray(0, 5).toString() === 'HEAD ' ? null : answer;
}

export const fuzzHttp: Fuzz = async ({ target }, dice, inputs) => {
  const faults: string[] = [];
  let left = inputs;
  const run = async () => {
    while (left > 0) {
      left -= 1;
      const request = requestFrom(dice);
      const answer = await ask(target.at, request);
      const fault = answer && faultOfAnswer(answer);
      if (fault) faults.push(`${fault}  <- ${request.subarray(0, 120).toString('latin1')}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, run));
  return faults;
};
