/** [P-11.3] Leads of one customer in several conversations of a dealer: each names the others, by e-mail or phone. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ask } from '../support/ask.ts';
import { DATABASES, openDatabase } from '../support/database.ts';
import { lead, of, rowsOf, say, span } from '../support/leads.ts';
import { makeFileOf, makeOldPostgres } from '../support/old-database.ts';
import { withClient } from '../support/postgres.ts';
import { ODD_TEXT } from '../support/rows.ts';
import { inFolder, startServer, type TestServer } from '../support/server.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

async function listed(server: TestServer, dealerId: string, query = ''): Promise<Record<string, unknown>> {
  const token = await server.token('server', 'ops', { dealer: '*' });
  const { status, body, text } = await ask(server, of(dealerId, `/leads${query}`), { token });
  assert.equal(status, 200, text);
  return Object.fromEntries(
    body.items.map(({ groupId, sameAs }: { groupId: string; sameAs?: string[] }) => [groupId, sameAs]),
  );
}

async function csv(server: TestServer, dealerId: string): Promise<Record<string, unknown>> {
  const token = await server.token('server', 'ops', { dealer: '*' });
  const { text } = await ask(server, of(dealerId, '/leads'), { token, headers: { accept: 'text/csv' } });
  return Object.fromEntries(rowsOf(text).map(({ groupId, sameAs }) => [groupId, sameAs]));
}

for (const kind of DATABASES) {
  describe(`leads of the same customer on ${kind}`, { timeout: 60_000 }, () => {
    const withOne = async (use: (server: TestServer) => Promise<void>) => {
      const database = await openDatabase(kind);
      const server = await startServer({ settings: { DATABASE_URL: database.url } });
      try {
        await use(server);
      } finally {
        await server.close();
        await database.close();
      }
    };

    it('name each other, by an e-mail or a phone however it is written, and nobody of another dealer', () =>
      withOne(async (server) => {
        await say(server, [
          lead('d1', 'g1', { email: ' Ann@Mail.example ', phone: '+49 (30) 123-45.67' }),
          lead('d1', 'g2', { email: 'ann@mail.example' }),
          lead('d1', 'g3', { phone: '0049/30 1234567' }),
          lead('d1', 'g4', { phone: '49\u00a0301234567', email: 'bob@mail.example' }),
          lead('d1', 'g5', { email: 'none', phone: '12-34-56' }),
          lead('d1', 'g6', { email: 'none', phone: '123456', name: ODD_TEXT }),
          lead('d1', 'g7', { email: `${ODD_TEXT}@mail.example`, phone: ODD_TEXT }),
          lead('d1', 'g8', { email: `${'x'.repeat(7000)}@mail.example` }),
          lead('d2', 'g9', { email: 'ann@mail.example' }),
        ]);
        assert.deepEqual(await listed(server, 'd1'), {
          g1: ['g2', 'g4'],
          g2: ['g1'],
          g3: undefined,
          g4: ['g1'],
          g5: undefined,
          g6: undefined,
          g7: undefined,
          g8: undefined,
        });
        assert.deepEqual(await listed(server, 'd2'), { g9: undefined });
        assert.deepEqual(await csv(server, 'd1'), {
          g1: 'g2 g4',
          g2: 'g1',
          g3: '',
          g4: 'g1',
          g5: '',
          g6: '',
          g7: '',
          g8: '',
        });
      }));

    it('no longer do once one says otherwise, or is erased', () =>
      withOne(async (server) => {
        const email = 'ann@mail.example';
        await say(server, [lead('d1', 'g1', { email }), lead('d1', 'g2', { email }), lead('d1', 'g3', { email })]);
        assert.deepEqual((await listed(server, 'd1', '?groupId=g1')).g1, ['g2', 'g3']);
        await say(server, [lead('d1', 'g2', { email: 'bob@mail.example' })]);
        const token = await server.token('server', 'ops', { dealer: '*' });
        const { status } = await ask(server, of('d1', '/groups/g3'), { method: 'DELETE', token });
        assert.equal(status, 200);
        assert.deepEqual(await listed(server, 'd1'), { g1: undefined, g2: undefined });
      }));

    it('name twenty others at most, in the order of their names', () =>
      withOne(async (server) => {
        const names = span(30).map((n) => `g${String(n).padStart(2, '0')}`);
        await say(
          server,
          names.map((groupId) => lead('d1', groupId, { email: 'shared@mail.example' })),
        );
        const found = await listed(server, 'd1');
        assert.deepEqual(found.g05, names.filter((name) => name !== 'g05').slice(0, 20));
        assert.deepEqual(found.g29, names.slice(0, 20));
      }));
  });
}

describe('leads that were there before', { timeout: 60_000 }, () => {
  const insert = `insert into leads (dealer_id, group_id, fields, created_at, updated_at) values
    ('d1', 'g1', '{"email":"Ann@mail.example"}', 1, 1), ('d1', 'g2', '{"email":"ann@mail.example"}', 1, 1)`;
  const dealer = "insert into dealers (dealer_id, created_at) values ('d1', 1)";
  const named = async (url: string) => {
    const server = await startServer({ settings: { DATABASE_URL: url } });
    try {
      assert.deepEqual(await listed(server, 'd1'), { g1: ['g2'], g2: ['g1'] });
    } finally {
      await server.close();
    }
  };

  it('name each other on SQLite', () =>
    inFolder(async (folder) => {
      await makeFileOf(`${folder}/telle.db`, 10, (client) => client.exec(`${dealer}; ${insert}`));
      await named(`sqlite:${folder}/telle.db`);
    }));

  it('name each other on Postgres', async () => {
    const url = await makeOldPostgres(postgres, 9);
    await withClient(url, (client) => client.query(`${dealer}; ${insert}`));
    await named(url);
  });
});
