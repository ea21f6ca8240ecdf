/** What tokens may ask and send over HTTP. */
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type Act, type Ask, type Means, range, sleep, type Tally } from './means.ts';

/** [P-11.6] Requests that a token has at once; a few are left to whoever else uses it. */
const REQUESTS = 290;
/** How long a connection that reads again may take to show that it was cut, in ms. */
const TO_CLOSE = 1000;

/** A connection of its own. What ends it is counted: `cut`, or `left` where it has to end it itself. */
function dial({ at, from }: Means): Promise<Socket> {
  const [host = '', port] = at.split(':');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), localAddress: from }, () => resolve(socket));
    socket.on('error', () => {}); // the server may well hang up
  });
}

function hangUp(sockets: readonly Socket[], tally: Tally): void {
  for (const socket of sockets) {
    tally.count(socket.closed ? 'cut' : 'left');
    socket.destroy();
  }
}

/** Requests that one connection may have waiting, and how many such connections a token's requests are enough for. */
const PIPELINED = 48;
const PIPELINES = Math.floor(REQUESTS / PIPELINED);

/** Asks for its own log as often as it may, all at once, and reads nothing of the answers. */
export const pipelinedReading: Act = async (means, tally) => {
  const ask = async ({ groupId, token }: Means['customers'][number]) => {
    const socket = await dial(means);
    const path = `/v1/dealers/${means.dealerId}/scopes/${groupId}/events?limit=200`;
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`.repeat(PIPELINED));
    return socket;
  };
  const asking = means.customers.flatMap((customer) => range(PIPELINES).map(() => ask(customer)));
  const sockets = await Promise.all(asking);
  await sleep(means.time);
  for (const socket of sockets) socket.on('data', ({ length }) => tally.count('received', length));
  await sleep(TO_CLOSE);
  hangUp(sockets, tally);
};

/** The largest body [P-11.6], and how much of it is never sent, in bytes. */
const BODY = 16_384_000;
const KEPT_BACK = 1000;
const PIECE = Buffer.alloc(64 * 1024, ' ');

/** Sends sixty of the largest bodies, each but for its end. */
export const halfBodies: Act = async (means, tally) => {
  const until = performance.now() + means.time;
  const send = async () => {
    const socket = await dial(means);
    socket.once('data', (answer) => tally.count(`http ${String(answer).slice(9, 12)}`));
    const type = `Content-Type: application/json\r\nContent-Length: ${BODY}`;
    socket.write(`POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${means.server}\r\n${type}\r\n\r\n[`);
    for (let left = BODY - KEPT_BACK; left > 0 && !socket.closed && performance.now() < until; left -= PIECE.length) {
      const piece = PIECE.subarray(0, Math.min(left, PIECE.length));
      if (!socket.write(piece))
        await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), sleep(1000)]);
      tally.count('sent', piece.length);
    }
    return socket;
  };
  const sockets = await Promise.all(range(60).map(send));
  await sleep(until - performance.now());
  hangUp(sockets, tally);
};

/** How long it waits before it reads on, in ms. */
const READS_AFTER = 100;

/** Gets one answer. @param slowly whether each piece of it is let wait */
function get(
  { at, from, dealerId, agent: token }: Means,
  { path, accept }: Ask,
  agent: Agent,
  slowly: boolean,
): Promise<string> {
  const [host, port] = at.split(':');
  const whole = `/v1/dealers/${dealerId}${path}`;
  const headers = { authorization: `Bearer ${token}`, ...(accept !== undefined && { accept }) };
  return new Promise((resolve) => {
    const asked = request({ agent, host, port, path: whole, headers, localAddress: from }, (answer) => {
      answer.on('data', () => {
        if (!slowly) return;
        answer.pause();
        setTimeout(() => answer.resume(), READS_AFTER);
      });
      answer.on('end', () => resolve(`http ${answer.statusCode}`));
      answer.on('error', () => resolve('cut'));
    });
    asked.on('error', () => resolve('cut'));
    asked.end();
  });
}

/** An agent's token asks as much as it may, on so many connections. */
async function askAll(means: Means, tally: Tally, connections: number, slowly: boolean): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const until = performance.now() + means.time;
  let asked = 0;
  let isOver = false;
  const ask = async () => {
    while (asked < REQUESTS && performance.now() < until) {
      const what = means.asks[asked++ % means.asks.length];
      const end = what && (await get(means, what, agent, slowly));
      if (end && !isOver) tally.count(end);
    }
  };
  const asking = range(connections).map(ask);
  await Promise.race([Promise.all(asking), sleep(means.time)]);
  isOver = true;
  agent.destroy();
  await sleep(until - performance.now());
}

/** Asks one thing after the other, on a few connections. */
export const polling: Act = (means, tally) => askAll(means, tally, 10, false);

/** Asks everything at once, and takes its time to read. */
export const slowReading: Act = (means, tally) => askAll(means, tally, REQUESTS, true);

/** Bodies that a server posts at a time, and in all. */
const POSTS_AT_ONCE = 4;
const MOST_POSTS = 200;

/** A body of a thousand events: what was said, and records that grow. */
const thousand = (turn: number): string =>
  JSON.stringify(
    range(1000).map((n) =>
      n % 4 === 0
        ? { type: 'UPDATE_LEAD', groupId: `p${n}`, message: { [`field${turn % 100}`]: 'x'.repeat(500) } }
        : { type: 'UPDATE_MSG', groupId: `p${n}`, user: 'bot', message: 'Hello' },
    ),
  );

/** A server posts as fast as it is answered. */
export const posting: Act = async (means, tally) => {
  const until = performance.now() + means.time;
  let posts = 0;
  const post = async () => {
    while (performance.now() < until && posts < MOST_POSTS) {
      const { status } = await fetch(`http://${means.at}/v1/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${means.server}`, 'content-type': 'application/json' },
        body: thousand(posts++),
      });
      tally.count(`http ${status}`);
    }
  };
  await Promise.all(range(POSTS_AT_ONCE).map(post));
};
