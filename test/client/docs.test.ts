/** Every snippet of docs/client.md, as it stands there. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { connect, TelleError } from '../../src/client/index.ts';
import type { Client, Role, SocketClass } from '../../src/client/types.ts';
import { named, Place } from '../support/sdk.ts';
import { Inbox } from '../support/until.ts';

const DEALER = 'demo';
const text = await readFile(new URL('../../docs/client.md', import.meta.url), 'utf8');
const snippets = [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = '']) => code);
const run = new Set<string>();

let place: Place;
let witness: Awaited<ReturnType<Place['admin']>>;
const clients: Client<Role>[] = [];

before(async () => {
  place = await Place.open();
  await place.server.store.putDealer(DEALER, { origins: ['*'] });
  witness = await place.admin('witness', { dealerId: DEALER, token: await token('admin', 'witness') });
});
after(async () => {
  for (const client of clients) client.close();
  await place.close();
});

const token = (role: Role, sub: string) => place.server.token(role, sub, { dealer: DEALER });

/**
 * Runs the snippet that has these words in it, with what it takes for granted.
 * @param groupId stands in for its `g1`
 * @returns what it shows
 */
async function shows(words: string, given: Record<string, unknown> = {}, groupId = 'g1'): Promise<Inbox<unknown[]>> {
  const code = snippets.find((code) => code.includes(words)) ?? assert.fail(`no ${words}`);
  run.add(code);
  const shown = new Inbox<unknown[]>();
  const names: Record<string, unknown> = {
    connect: (options: Parameters<typeof connect>[0] & { WebSocket?: SocketClass }) => {
      const client = connect({ WebSocket, ...options });
      clients.push(client);
      return client;
    },
    WebSocket,
    TelleError,
    show: (...what: unknown[]) => shown.put(what),
    ...given,
  };
  const body = code
    .replace(/^import .*\n/gm, '')
    .replaceAll("'g1'", `'${groupId}'`)
    .replaceAll('wss://chat.example/ws', place.url)
    .replaceAll('https://chat.example', place.directUrl.replace(/^ws(.*)\/ws$/, 'http$1'));
  const AsyncFunction = (async () => {}).constructor;
  await Reflect.construct(AsyncFunction, [...Object.keys(names), body])(...Object.values(names));
  return shown;
}

describe('docs/client.md', () => {
  test('lets a customer talk, and an admin answer', async () => {
    const customer = await shows("role: 'customer'");
    assert.deepEqual(await customer.first(1), [[1, 'customer', 'Is the blue one still there?']]);
    const [said] = await witness.heard.first(1, named('CHAT_MESSAGE'));
    const groupId = String(said?.payload.groupId);
    const fetch = async () => new Response(await token('admin', 'alice'));
    const agent = await shows("role: 'admin'", { fetch }, groupId);
    assert.deepEqual(await customer.first(2), [
      [1, 'customer', 'Is the blue one still there?'],
      [3, 'admin', 'It is. Come and see it!'],
    ]);
    await place.customer({ dealerId: DEALER });
    assert.deepEqual((await agent.first(1, ([type]) => type === 'UPDATE_GROUP'))[0]?.[2], true);
  });

  test('lets a bot answer', async () => {
    const shown = await shows("role: 'server'", {
      process: { env: { TELLE_TOKEN: await token('server', 'bot') } },
    });
    await new Promise<void>((resolve) => clients.at(-1)?.on('session', () => resolve()));
    const { client, heard } = await place.customer({ dealerId: DEALER });
    await client.send('customer_message', { type: 'UPDATE_MSG', message: 'hello' });
    const [answer] = await heard.first(1, named('CHAT_MESSAGE'));
    assert.deepEqual([answer?.payload.user, answer?.payload.message], ['bot', 'I will ask.']);
    assert.deepEqual(shown.items, []);
    clients.at(-1)?.close();
  });

  test('shows what a refused send says', async () => {
    const { client } = await place.customer({ dealerId: DEALER });
    const [[code, retryable, details] = []] = (await shows('catch (error)', { client })).items;
    assert.deepEqual([code, retryable], ['invalid_payload', false]);
    assert.match(JSON.stringify(details), /^\[\{"path":"\/message"/);
  });

  test('reads on where there is a gap', async () => {
    const { client, heard, groupId } = await place.customer({ dealerId: DEALER, since: { '@dealer': 999 } });
    await heard.first(1, named('gap'));
    await client.send('customer_message', { type: 'UPDATE_MSG', message: 'one' });
    await client.send('customer_message', { type: 'UPDATE_MSG', message: 'two' });
    let tell: (gap: object) => unknown = () => {};
    const shown = await shows("on('gap'", {
      client: { session: client.session, on: (_: string, listener: typeof tell) => (tell = listener) },
    });
    await tell({ scope: groupId, after: 1 });
    assert.deepEqual(shown.items, [[2, 'customer', 'two']]);
  });

  test('has no other snippets', () => assert.deepEqual([...run].sort(), [...snippets].sort()));
});
