import { erase, fill } from './lists.ts';
import { NOW, ODD_TEXT } from './rows.ts';
import { DEALER, type TestServer } from './server.ts';

/** A day of a platform: something in every table, erased conversations, and customers who were cut off. */
export async function day(server: TestServer): Promise<void> {
  const crm = server.token('server', 'crm', { dealer: '*' });
  await server.http('PUT', `/v1/dealers/d2`, {
    token: crm,
    body: { name: 'Åke’s "Cars"', origins: ['https://b.example', '*'], claims: 'made' },
  });
  await server.http('PUT', `/v1/dealers/gone`, { token: crm, body: {} });
  await server.http('DELETE', `/v1/dealers/gone`, { token: crm });
  await fill(server, ['g1', 'g2', 'erased', 'again']);
  await erase(server, ['erased', 'again']);
  await fill(server, ['again']);
  const admin = await server.admin();
  for (const message of ['one', ODD_TEXT.replace('\0', ''), 'three'])
    await admin.ask('admin_message', { type: 'UPDATE_MSG', groupId: 'g1', message });
  await admin.ask('read', { type: 'READ', groupId: 'g1', seq: 1 });
  await admin.ask('close_chat', { type: 'CLOSE_CHAT', groupId: 'g2', close: true });
  await admin.ask('sys_message', { type: 'SYS_MSG', message: 'We close\nat "six"\u2028.' });
  const claimed = await server.customer('held');
  await claimed.ask('customer_message', { type: 'UPDATE_MSG', message: 'by a claim' });
  await server.customer('held', { token: server.token('customer', 'held') });
  await server.http('POST', `/v1/dealers/${DEALER}/revocations`, { token: crm, body: { role: 'admin', sub: 'bob' } });
  const code = await server.http('POST', '/v1/sessions/codes', {
    token: crm,
    body: { adminId: 'a2', dealerId: DEALER },
  });
  await server.http('POST', '/v1/sessions', { body: { code: code.body.code } });
  await server.store.bury([
    {
      deadLetterId: 'l1',
      source: 'ingress',
      payload: ODD_TEXT,
      code: 'invalid_payload',
      message: 'no',
      details: [],
      at: NOW,
    },
  ]);
}
