/** The dealer that a newcomer finds, unless in production: made with the database, so that whoever removes it is rid of it. */
import { randomBytes } from 'node:crypto';
import type { Tokens } from '../auth/tokens.ts';
import { secondsFromNow } from '../auth/tokens.ts';
import type { CredentialStore } from '../store/credentials.ts';
import type { DealerStore } from '../store/dealers.ts';
import { isProduction } from './settings.ts';
import type { Warning } from './warning.ts';

const DEMO = 'demo';
const ADMIN = 'alice';
/** Lifetime of the printed frame's token, in seconds: a day. */
const TTL = 24 * 60 * 60;

/** Makes the demo dealer, in a new database. */
export async function makeDemoDealer(store: DealerStore): Promise<void> {
  await store.putDealer(DEMO, { name: 'Demo Motors', origins: ['*'] });
}

/** Warnings of a demo dealer that production has from before, and that any web page may join. */
export async function warningsOfDemo(store: DealerStore): Promise<Warning[]> {
  const demo = isProduction() ? await store.dealer(DEMO) : null;
  if (!demo?.origins?.includes('*')) return [];
  return [{ found: `any web page may join the dealer ${DEMO}`, advice: `telle dealer remove ${DEMO}` }];
}

/** Says how to make the first dealer; null where there is one. */
export async function howToBegin(store: DealerStore): Promise<string | null> {
  if ((await store.dealers('', 1)).length > 0) return null;
  return [
    'There is no dealer yet. To make one, and a token for an agent of it:',
    'telle dealer add main-street --name "Main Street Cars" --origin https://cars.example',
    'telle token --role admin --dealer main-street --sub bob',
  ].join('\n');
}

/**
 * Ways to try the server, in links to open and lines to paste; null where there is no demo dealer. Nobody else is ever
 * given this token: whoever reads what the server prints runs it.
 * @param url where the server is, as a browser on this machine reaches it
 */
export async function howToTry(
  store: DealerStore & CredentialStore,
  tokens: Tokens,
  url: string,
): Promise<string | null> {
  if (!(await store.dealer(DEMO))) return null;
  const who = { role: 'admin', dealer: DEMO, sub: ADMIN } as const;
  const { current: gen } = await store.generation(who);
  const token = tokens.sign({ ...who, exp: secondsFromNow(TTL), gen });
  // A group of its own at each start: one that exists is joined only with its token [P-3.1].
  const groupId = `try-${randomBytes(3).toString('hex')}`;
  const frame = (channel: string, payload: object) => JSON.stringify({ channel, payload });
  return [
    `Try it in a browser. A customer:  ${url}/`,
    `An agent:  ${url}/desk#demo`,
    '',
    'Or with two WebSocket clients (websocat, wscat, a browser console). A customer sends:',
    frame('client_join', { type: 'CLIENT_JOIN', dealerId: DEMO, groupId, user: 'customer', online: true }),
    frame('customer_message', { type: 'UPDATE_MSG', message: 'Is the blue one still there?' }),
    'An agent sends:',
    frame('admin_join', { type: 'ADMIN_JOIN', dealerId: DEMO, adminId: ADMIN, user: 'admin', online: true, token }),
    frame('admin_message', { type: 'UPDATE_MSG', groupId, message: 'It is. Come and see it!' }),
  ].join('\n');
}
