/** [P-11.3] The lists of a dealer, and enough of everything to fill them. */
import assert from 'node:assert/strict';
import { DEALER, type TestServer } from './server.ts';

/** Each list, and what tells one of its items from another. */
export const LISTS: Readonly<Record<string, readonly string[]>> = {
  groups: ['groupId'],
  users: ['groupId'],
  leads: ['groupId'],
  'lead-intents': ['groupId', 'intent'],
  pageviews: ['seq'],
  erasures: ['erasureId'],
};
export const LIST_NAMES = Object.keys(LISTS);

export type Item = Readonly<Record<string, unknown>>;
type Page = { items: Item[]; next: string | null };

/** Where a list is, or anything else of the dealer. */
export const at = (list: string, query = '', dealerId = DEALER) => `/v1/dealers/${dealerId}/${list}${query}`;

/** What a server of the dealer is answered, whose requests are not counted. */
export async function read(server: TestServer, list: string, query = '') {
  return server.http('GET', at(list, query), { token: await server.token('server', 'crm') });
}

/** One page of a list that is there. */
export async function page(server: TestServer, list: string, query = ''): Promise<Page> {
  const { status, body } = await read(server, list, query);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** All that groups of these names have: a message, a user, a lead, two intents and a page view each. */
export async function fill(server: TestServer, names: readonly string[]): Promise<void> {
  const token = await server.token('server', 'crm');
  const bodies = names.flatMap((groupId) => [
    { type: 'UPDATE_MSG', groupId, user: 'customer', message: `I am ${groupId}` },
    { type: 'UPDATE_USER', groupId, message: { name: groupId } },
    { type: 'UPDATE_LEAD', groupId, message: { source: groupId } },
    { type: 'CREATE_LEAD_INTENT', groupId, message: { intent: 'buy' } },
    { type: 'CREATE_LEAD_INTENT', groupId, message: { intent: 'lease / "other"' } },
    { type: 'UPDATE_PAGEVIEW', groupId, message: { url: `https://a.example/${groupId}` } },
  ]);
  for (let from = 0; from < bodies.length; from += 1000) {
    const { status } = await server.http('POST', '/v1/events', { token, body: bodies.slice(from, from + 1000) });
    assert.equal(status, 200);
  }
}

/** Erases groups, one after another. */
export async function erase(server: TestServer, names: readonly string[]): Promise<void> {
  const token = await server.token('server', 'crm');
  for (const name of names) {
    const { status } = await server.http('DELETE', at(`groups/${name}`), { token });
    assert.equal(status, 200);
  }
}

/** Makes so many more items of every list: groups, and receipts of as many others. */
export async function fillAll(server: TestServer, word: string, count: number): Promise<void> {
  const named = (prefix: string) => Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  await fill(server, named(`${word}-gone`));
  await erase(server, named(`${word}-gone`));
  await fill(server, named(word));
}
