/** Section 3, but for recovery. */
import { randomUUID } from 'node:crypto';
import { check, holds, same } from '../expect.ts';
import { secondsFromNow } from '../tokens.ts';
import type { Case } from '../visit.ts';

const say = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', message, ...more });

export const JOINING: readonly Case[] = [
  {
    clause: '3',
    says: 'before a join any channel but ping is not_joined, and the socket may still join',
    async run(visit) {
      const client = await visit.connect();
      for (const channel of ['customer_message', 'admin_message', 'event', 'typing', 'refresh'])
        await client.refused('not_joined', channel, {});
      await client.taken('client_join', visit.customerJoin({ groupId: visit.house.group() }));
    },
  },
  {
    clause: '3',
    says: 'a socket that does not join within 10 s is closed with 4408',
    waits: 15_000,
    run: async (visit) => same('the close code', await (await visit.connect()).closed(15_000), 4408),
  },
  {
    clause: '3',
    says: 'a second join is already_joined, and the first one holds',
    async run(visit) {
      const client = await visit.customer();
      await client.refused('already_joined', 'client_join', visit.customerJoin());
      const { scope } = await client.taken('customer_message', say('still here'));
      same('the scope', scope, client.session.groupId);
    },
  },
  {
    clause: '3',
    says: 'frames may be sent right behind a join, and are handled in order, after it',
    async run(visit) {
      const client = await visit.connect();
      client.send('client_join', visit.customerJoin({ groupId: visit.house.group() }), 'j1');
      for (const id of ['k1', 'k2', 'k3']) client.send('customer_message', say(id), id);
      await client.answer('k3');
      const came = client.frames.map(({ channel, payload }) => [channel, payload.id ?? null]);
      same('what came', came, [
        ['session', null],
        ['ack', 'j1'],
        ['ack', 'k1'],
        ['ack', 'k2'],
        ['ack', 'k3'],
      ]);
    },
  },
  {
    clause: '3',
    says: 'a join that is refused without a close may be tried again',
    async run(visit) {
      const client = await visit.connect();
      await client.refused('forbidden', 'client_join', visit.customerJoin({ user: 'admin' }));
      await client.taken('client_join', visit.customerJoin({ groupId: visit.house.group() }));
    },
  },
  {
    clause: '3.1',
    says: 'a customer without a groupId is given an unguessable one',
    async run(visit) {
      const names: string[] = [];
      for (const _ of [1, 2]) {
        const client = await visit.connect();
        await client.taken('client_join', visit.customerJoin());
        names.push(visit.house.group(String((await client.next('session')).payload.groupId)));
      }
      check(names[0] !== names[1], 'two customers were given one group');
      for (const name of names) check(name.length >= 22, `"${name}" can be guessed`);
    },
  },
  {
    clause: '3.1',
    says: 'a group is claimed without a token, and joined again with the token of session, groupId or not',
    async run(visit) {
      const { session } = await visit.customer();
      const { token, groupId } = session;
      check(typeof token === 'string', 'session has no token');
      for (const more of [{ groupId, token }, { token }]) {
        const client = await visit.connect();
        client.send('client_join', visit.customerJoin(more));
        same('the groupId', (await client.next('session')).payload.groupId, groupId);
      }
    },
  },
  {
    clause: '3.1',
    says: 'a group that exists is joined only with its token: else unauthorized, and 4401',
    async run(visit) {
      const { session } = await visit.customer();
      const { session: other } = await visit.customer();
      for (const token of [undefined, other.token, 'no.token.atall']) {
        const client = await visit.connect();
        await client.refused('unauthorized', 'client_join', visit.customerJoin({ groupId: session.groupId, token }));
        same('the close code', await client.closed(), 4401);
      }
    },
  },
  {
    clause: '3.1',
    says: "a dealer's own token makes its group, and is handed back unchanged",
    async run(visit) {
      const groupId = visit.house.group();
      const token = visit.house.token('customer', groupId);
      const { session } = await visit.customer(groupId, { token });
      check(session.token === token, 'session has another token');
    },
  },
  {
    clause: '3.1',
    says: 'a minted token for a claimed name sets the claimed conversation aside',
    async run(visit) {
      const [claimed, witness] = [await visit.customer(), await visit.server()];
      const groupId = String(claimed.session.groupId);
      await claimed.taken('customer_message', say('a secret of the claim'));
      const token = visit.house.token('customer', groupId);
      const customer = await visit.customer(groupId, { token, since: { [groupId]: 0 } });
      same('the close code of the claim', await claimed.closed(), 1012);
      const { channel, scope, payload } = await witness.next('SET_ASIDE');
      holds('[7.6] SET_ASIDE', payload, { dealerId: visit.house.dealer, groupId, user: 'customer' });
      same('[7.6] its channel and scope', [channel, scope], ['CHAT_STATE', groupId]);
      await customer.settled();
      check(!customer.texts.some((text) => text.includes('secret of the claim')), 'the claimed conversation was shown');
      const again = await visit.connect();
      again.send('client_join', visit.customerJoin({ groupId, token: claimed.session.token, since: { [groupId]: 1 } }));
      const { payload: session } = await again.next('session');
      same('the name of the claim', session.groupId, visit.house.group(String(payload.setAside)));
      holds('what is recovered of it', Object(session.recovered), { [groupId]: false });
    },
  },
  {
    clause: '3.1',
    says: 'the setting "claims" says which groups may be claimed',
    async run(visit) {
      const { house } = visit;
      for (const [claims, named, unnamed] of [
        ['off', false, false],
        ['made', false, true],
      ] as const) {
        const dealerId = await house.makeDealer(`conformance-${randomUUID()}`, { claims });
        for (const [groupId, isTaken] of [
          [house.group(), named],
          [undefined, unnamed],
        ] as const) {
          const join = visit.customerJoin({ dealerId, groupId });
          const client = await visit.connect();
          if (isTaken) await client.taken('client_join', join);
          else await client.refused('unauthorized', 'client_join', join);
        }
      }
    },
  },
  {
    clause: '3.2',
    says: 'an admin joins with its token',
    async run(visit) {
      const { session } = await visit.admin();
      holds('session', session, {
        role: 'admin',
        dealerId: visit.house.dealer,
        recovered: {},
        groupId: undefined,
      });
      same('the scopes of seqs', Object.keys(Object(session.seqs)).sort(), ['@dealer', '@desk']);
    },
  },
  {
    clause: '3.2',
    says: 'an admin without a token, or with another one, is unauthorized, and closed with 4401',
    async run(visit) {
      const { house } = visit;
      const others = [
        house.token('admin', 'bob'),
        house.token('customer', 'alice'),
        house.token('admin', 'alice', { dealer: 'another' }),
      ];
      for (const token of [undefined, 'forged', ...others]) {
        const client = await visit.connect();
        await client.refused('unauthorized', 'admin_join', visit.adminJoin('alice', { token }));
        same('the close code', await client.closed(), 4401);
      }
    },
  },
  {
    clause: '3.3',
    says: 'a server joins with its token, and is told of @dealer and @desk',
    async run(visit) {
      const { session } = await visit.server();
      holds('session', session, { role: 'server', dealerId: visit.house.dealer, recovered: {} });
      same('the scopes of seqs', Object.keys(Object(session.seqs)).sort(), ['@dealer', '@desk']);
    },
  },
  {
    clause: '3.3',
    says: 'a server of all dealers may join "*", or one; a server of one may not join "*"',
    async run(visit) {
      const { house } = visit;
      const master = house.token('server', 'conformance', { dealer: '*' });
      const everywhere = await visit.server({ dealerId: '*', token: master });
      same('the seqs of "*"', everywhere.session.seqs, {});
      same('the dealer', (await visit.server({ token: master })).session.dealerId, house.dealer);
      const client = await visit.connect();
      await client.refused(
        'unauthorized',
        'server_join',
        visit.serverJoin({ dealerId: '*', token: house.serverToken() }),
      );
    },
  },
  {
    clause: '3.4',
    says: 'the token may come with the connection instead; where both are there, the one of the join counts',
    async run(visit) {
      const token = visit.house.serverToken();
      const client = await visit.connect(token);
      await client.taken('server_join', visit.serverJoin());
      const other = await visit.connect(token);
      await other.refused('unauthorized', 'server_join', visit.serverJoin({ token: 'forged' }));
    },
  },
  {
    clause: '3.5',
    says: 'a customer\'s session says all that it must, then comes the join\'s ack {"id"}',
    async run(visit) {
      const client = await visit.connect();
      const groupId = visit.house.group();
      await client.taken('client_join', visit.customerJoin({ groupId }), 'j1');
      same(
        'the order',
        client.frames.map(({ channel }) => channel),
        ['session', 'ack'],
      );
      same('the ack', client.frames[1]?.payload, { id: 'j1' });
      const session = client.frames[0]?.payload ?? {};
      holds('session', session, {
        role: 'customer',
        dealerId: visit.house.dealer,
        groupId,
        recovered: {},
        muted: false,
        closed: false,
        unread: 0,
        adminId: undefined,
      });
      same('the scopes of seqs', Object.keys(Object(session.seqs)).sort(), ['@dealer', groupId].sort());
      check(Number(session.pingInterval) > 0, `pingInterval is ${session.pingInterval}`);
      check(typeof session.online === 'boolean', '"online" tells whether an admin is here');
      check(
        Date.parse(String(session.expiresAt)) > secondsFromNow(29 * 24 * 3600) * 1000,
        '[3.1] a token that the server gave out holds for 30 days',
      );
    },
  },
  {
    clause: '3.5',
    says: "seqs count the socket's own presence event, which is not sent to it",
    async run(visit) {
      const admin = await visit.admin('newcomer', { token: visit.house.token('admin', 'newcomer') });
      await admin.settled();
      const own = ({ payload }: { payload: Record<string, unknown> }) => payload.adminId === admin.session.adminId;
      check(!admin.events('@desk').some((frame) => own(frame)), 'its own presence was told to it');
      check(Number(Object(admin.session.seqs)['@desk']) > 0, 'seqs do not count it');
    },
  },
];
