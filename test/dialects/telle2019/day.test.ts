/** [P-19.2] A whole day of the system of 2019 at Telle: a page that polls and then upgrades, a dashboard, bot and daemon over a real Redis. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { withOld } from '../../support/old-platform.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { closeClients, connected, type IoSocket, ioClient } from '../../support/socketio.ts';
import { DEALER, PAYLOADS, page } from '../../support/telle2019.ts';
import { Inbox } from '../../support/until.ts';

let redis: RedisServer;
before(async () => {
  redis = await startRedis();
});
after(async () => {
  closeClients();
  await redis?.stop();
});

type Said = Record<string, unknown>;
const HEARD = [
  'CHAT_MESSAGE',
  'MUTE_STATE',
  'CLOSE_CHAT',
  'CHAT_STATUS',
  'LEADS_NOTIFICATION',
  'telle_error',
  'telle_close',
];

/** A page or dashboard as it is out there: it says JSON as text, and reads what it hears as that. */
class OldPage {
  readonly client: IoSocket;
  readonly hears = new Inbox<Said & { event: string }>();

  constructor(at: string) {
    this.client = ioClient('2.5', at, { transports: ['polling', 'websocket'] });
    for (const event of HEARD)
      this.client.on(event, (...values: unknown[]) => {
        assert.equal(values.length, 1, event);
        this.hears.put({ event, ...JSON.parse(String(values[0])) });
      });
  }

  says(event: string, payload: object): void {
    this.client.emit(event, JSON.stringify(payload));
  }

  /** What it has heard once it has heard so many of a name. */
  async next(event: string, count = 1): Promise<Said> {
    const heard = await this.hears.first(count, (each) => each.event === event);
    const { event: _, ...said } = heard.at(-1) ?? assert.fail(event);
    return said;
  }
}

const upgraded = (client: IoSocket): Promise<void> =>
  new Promise((resolve) => Reflect.get(client.io.engine, 'on').call(client.io.engine, 'upgrade', () => resolve()));

describe('[P-19.2] a day of 2019', () => {
  test('goes from the first page view to the close as it always did', () =>
    withOld({ redis, settings: { SOCKET_IO: 'on', DIALECT_DESKS: `${DEALER}=127.0.0.1` } }, async ({ server, old }) => {
      await server.store.putDealer(DEALER, { origins: ['*'] });
      const at = await server.listen();
      const ids = { dealerId: Number(DEALER), groupId: 'day-1' };
      const by = { ...ids, adminId: '15' };

      // In the morning the dashboard is opened.
      const dashboard = new OldPage(at);
      await connected(dashboard.client);
      dashboard.says('admin_join', {
        type: 'ADMIN_JOIN',
        dealerId: ids.dealerId,
        adminId: '15',
        user: 'admin',
        online: true,
      });

      // A visitor looks at a page: the site's server says so, and the widget joins. It polls, and upgrades while it does.
      const widget = new OldPage(at);
      await connected(widget.client);
      const upgrade = upgraded(widget.client);
      widget.says('client_join', { type: 'CLIENT_JOIN', ...ids, user: 'customer', online: true });
      const online = await dashboard.next('CHAT_STATUS');
      assert.deepEqual([online.dealerId, online.groupId, online.online], [ids.dealerId, 'day-1', true]);
      await old.publish({ ...PAYLOADS.visit, sid: 'day-1' });
      await old.publish({ ...PAYLOADS.user, groupId: 'day-1' });

      // It asks, and the bot answers: both once, on page and dashboard.
      const ask = (text: string, muted: boolean, uid: string) =>
        widget.says('customer_message', {
          type: 'UPDATE_MSG',
          ...ids,
          muted,
          message: page(text),
          user: 'customer',
          unread: 0,
          uid,
        });
      ask('hi', false, 'u1');
      assert.deepEqual((await widget.next('CHAT_MESSAGE')).uid, 'u1');
      assert.deepEqual((await widget.next('CHAT_MESSAGE', 2)).message, [{ text: { text: ['You said: hi'] } }]);
      assert.deepEqual((await dashboard.next('CHAT_MESSAGE', 2)).message, [{ text: { text: ['You said: hi'] } }]);
      await upgrade;

      // The agent takes over. The bot is silent.
      dashboard.says('mute_bot', { type: 'MUTE_BOT', ...by, muted: true });
      assert.equal((await widget.next('MUTE_STATE')).muted, true);
      dashboard.says('admin_message', {
        type: 'UPDATE_MSG',
        ...by,
        user: 'admin',
        muted: true,
        unread: 0,
        message: page('This is Ann.'),
      });
      assert.deepEqual((await widget.next('CHAT_MESSAGE', 3)).message, page('This is Ann.'));
      ask('hello Ann', true, 'u2');
      assert.deepEqual((await dashboard.next('CHAT_MESSAGE', 4)).message, page('hello Ann'));
      const [, muted] = await old.taken.bot.first(2, ({ type }) => type === 'UPDATE_MSG');
      assert.equal(muted?.muted, true);

      // The visitor leaves its number, as the site's server says, and the dashboard counts it once.
      await old.publish({ ...PAYLOADS.lead, groupId: 'day-1' });
      await old.publish({ ...PAYLOADS.notification, groupId: 'day-1' });
      assert.equal((await dashboard.next('LEADS_NOTIFICATION')).customer, 'Ada');

      // The agent hands back, and the bot answers again.
      dashboard.says('unmute_bot', { type: 'MUTE_BOT', ...by, muted: false });
      assert.equal((await widget.next('MUTE_STATE', 2)).muted, false);
      ask('bye', false, 'u3');
      assert.deepEqual((await widget.next('CHAT_MESSAGE', 6)).message, [{ text: { text: ['You said: bye'] } }]);

      // The agent ends it.
      dashboard.says('end_session', { type: 'CLOSE_CHAT', ...by, close: true });
      assert.equal((await widget.next('CLOSE_CHAT')).close, true);
      widget.client.close();
      assert.equal((await dashboard.next('CHAT_STATUS', 2)).online, false);

      // In the evening everything is where it belongs, once.
      const texts = (messages: readonly Said[]) => messages.map(({ message }) => Object(Object(message).data).text);
      const isMessage = ({ type, user }: Said) => type === 'UPDATE_MSG' && user !== 'bot';
      const daemon = await old.taken.daemon.first(4, isMessage);
      assert.deepEqual(texts(daemon), ['hi', 'This is Ann.', 'hello Ann', 'bye']);
      await old.taken.daemon.first(1, ({ type, online: isHere }) => type === 'UPDATE_CHAT' && isHere === false);
      assert.equal(old.taken.daemon.items.filter(({ type }) => type === 'UPDATE_MSG').length, 6);
      assert.equal(dashboard.hears.items.filter(({ event }) => event === 'LEADS_NOTIFICATION').length, 1);
      for (const { hears } of [widget, dashboard]) {
        assert.equal(hears.items.filter(({ event }) => event === 'CHAT_MESSAGE').length, 6);
        assert.deepEqual(
          hears.items.filter(({ event }) => event.startsWith('telle_')),
          [],
        );
      }
      const log = await server.store.events(DEALER, 'day-1', { limit: 100 });
      assert.deepEqual(
        log.filter(({ type }) => type === 'CHAT_MSG').map(({ payload }) => JSON.parse(payload).message),
        ['hi', 'You said: hi', 'This is Ann.', 'hello Ann', 'bye', 'You said: bye'],
      );
      const [lead] = await server.store.records('leads', DEALER, { limit: 1 });
      assert.equal(lead?.fields.phone, '5550100');
    }));
});
