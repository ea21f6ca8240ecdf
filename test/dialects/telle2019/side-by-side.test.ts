/** [P-19.2] Old and new on one Redis, as docs/coming-from-socketio.md has it, step by step: no message is lost or doubled. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { command } from '../../support/command.ts';
import { type Beside, withOld } from '../../support/old-platform.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { closeClients, connected, type IoSocket, ioClient } from '../../support/socketio.ts';
import { page } from '../../support/telle2019.ts';
import { Inbox, until } from '../../support/until.ts';

const guide = await readFile(new URL('../../../docs/coming-from-socketio.md', import.meta.url), 'utf8');
const [, section = ''] = /^## The system of 2019$(.*?)^## /ms.exec(guide) ?? [];
const [, block = ''] = /^```sh\n(.*?)^```$/ms.exec(section) ?? [];
/** The settings that the guide gives. */
const settings = Object.fromEntries(
  block
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/=(.*)/).slice(0, 2)),
);
const shown = /^ {3}```\n(.*?)^ {3}```$/ms.exec(section)?.[1]?.replaceAll(/^ {3}/gm, '') ?? '';

const [MOVED, STAYING] = ['201900001', '201900002'];
/** A conversation of before, which its customer comes back to: its name is long enough to be its key [P-19.3]. */
const BEFORE = '0b7c1c9e2d4f4a5b';
const OTHERS = [MOVED, STAYING];

let redis: RedisServer;
before(async () => {
  redis = await startRedis();
});
after(async () => {
  closeClients();
  await redis?.stop();
});

/** A page of a dealer, wherever it is connected, and what it has heard. */
interface Page {
  says(text: string): Promise<void>;
  readonly hears: Inbox<string>;
}

const textOf = (message: unknown): string =>
  Array.isArray(message) ? message[0].text.text[0] : Object(Object(message).data).text;

class Story {
  readonly #beside: Beside;
  readonly #at: string;
  /** All that anybody has said, by dealer. */
  readonly said = new Map(OTHERS.map((dealerId) => [dealerId, [] as string[]]));
  readonly #groups = new Set<string>();
  #count = 0;

  constructor(beside: Beside, at: string) {
    this.#beside = beside;
    this.#at = at;
  }

  #payload(dealerId: string, groupId: string, text: string) {
    this.said.get(dealerId)?.push(text, `You said: ${text}`);
    const message = page(text);
    this.#groups.add(groupId);
    this.#count += 1;
    return {
      type: 'UPDATE_MSG',
      dealerId,
      groupId,
      muted: false,
      message,
      user: 'customer',
      unread: 0,
      uid: `u${this.#count}`,
    };
  }

  /** A page that is connected to the old server. */
  async pageThere(dealerId: string, groupId: string): Promise<Page> {
    const { old } = this.#beside;
    const hears = new Inbox<string>();
    old.heard.listen(({ type, groupId: of, message }) => {
      if (type === 'UPDATE_MSG' && of === groupId) hears.put(textOf(message));
    });
    await old.joins(dealerId, groupId);
    return { hears, says: async (text) => old.says(this.#payload(dealerId, groupId, text)) };
  }

  /** A page that is connected to Telle, by the client that it has. */
  async pageHere(dealerId: string, groupId: string): Promise<Page & { client: IoSocket }> {
    const client = ioClient('2.5', this.#at);
    const hears = new Inbox<string>();
    client.on('CHAT_MESSAGE', (text: string) => hears.put(textOf(JSON.parse(text).message)));
    await connected(client);
    const join = { type: 'CLIENT_JOIN', dealerId, groupId, user: 'customer', online: true };
    client.emit('client_join', JSON.stringify(join));
    const says = async (text: string) => {
      client.emit('customer_message', JSON.stringify(this.#payload(dealerId, groupId, text)));
    };
    return { hears, client, says };
  }

  /** Says something on a page, which hears it, and the bot's answer, once. */
  async talk(one: Page, text: string): Promise<void> {
    const before = one.hears.items.length;
    await one.says(text);
    await one.hears.first(before + 2);
    assert.deepEqual(one.hears.items.slice(before), [text, `You said: ${text}`]);
  }

  /** An agent of a dealer writes at the old dashboard. */
  async agentThere(dealerId: string, groupId: string, text: string): Promise<void> {
    this.said.get(dealerId)?.push(text);
    const by = { dealerId, groupId, adminId: '15', user: 'admin', muted: false, unread: 0 };
    await this.#beside.old.desk({ type: 'UPDATE_MSG', ...by, message: page(text) });
  }

  /** Every message of a dealer, as Telle's log has it. */
  async kept(dealerId: string): Promise<string[]> {
    const { store } = this.#beside.server;
    const groups = [...this.#groups];
    const logs = await Promise.all(groups.map((groupId) => store.events(dealerId, groupId, { limit: 500 })));
    return logs
      .flat()
      .filter(({ type }) => type === 'CHAT_MSG')
      .map(({ payload }) => JSON.parse(payload).message);
  }

  /** Each message that was said is where it belongs, once. */
  async assertOnce(): Promise<void> {
    const { old } = this.#beside;
    for (const dealerId of OTHERS) {
      const said = [...(this.said.get(dealerId) ?? [])].sort();
      await until(`Telle has all of ${dealerId}`, async () => (await this.kept(dealerId)).length >= said.length);
      assert.deepEqual((await this.kept(dealerId)).sort(), said);
      const isMessage = (each: Record<string, unknown>) => each.type === 'UPDATE_MSG' && each.dealerId === dealerId;
      for (const inbox of [old.taken.daemon, old.heard]) {
        await inbox.first(said.length, isMessage);
        assert.deepEqual(
          inbox.items
            .filter(isMessage)
            .map(({ message }) => textOf(message))
            .sort(),
          said,
        );
      }
    }
  }
}

describe('[P-19.2] the guide to running side by side', () => {
  test('has its steps, each of which is tried here', () => {
    const steps = [...section.matchAll(/^\d\. \*\*(.*?)\.?\*\*/gm)].map(([, step]) => step);
    assert.deepEqual(steps, [
      'Import the past', // test/databases/import-telle2019.test.ts
      'Start Telle beside the old server',
      'See that it hears',
      'Move a dealer',
      'Move it back',
      'Move the desks',
      'Stop the old server',
    ]);
  });

  test('is true: a dealer goes and comes back, and no message is lost or doubled', async () => {
    const { REDIS_URL: _, ...given } = settings;
    await withOld({ redis, settings: given }, async (beside) => {
      const { server, old, env } = beside;
      const at = await server.listen();
      const story = new Story(beside, at);

      // Start Telle beside the old server.
      const [there, staying] = [await story.pageThere(MOVED, BEFORE), await story.pageThere(STAYING, 'stays-1')];
      await story.talk(there, 'one');
      await story.talk(staying, 'two');
      await story.agentThere(MOVED, BEFORE, 'three');
      await story.assertOnce();

      // See that it hears.
      const doctor = command(['doctor'], env);
      let isOver = false;
      void doctor.finally(() => {
        isOver = true;
      });
      await until(
        'it listens',
        async () => isOver || (await old.redis.pubsub('NUMSUB', env.DIALECT_CHANNEL ?? ''))[1] === 3,
      );
      await old.publish({ type: 'MUTE_BOT', dealerId: STAYING, groupId: 'stays-2', adminId: '15', muted: false });
      await until('it ends', async () => isOver);
      const { stdout } = await doctor;
      // The names are of this test alone, and so is a `telle:events` that nobody has.
      const found = (text: string) =>
        [...text.matchAll(/^✓ dialect +\S+: (.*)$/gm)].map(([, what = '']) => what.replace('MUTE_BOT', 'UPDATE_MSG'));
      assert.deepEqual(found(stdout), found(shown), stdout);

      // Move a dealer.
      await server.store.putDealer(MOVED, { origins: [], groupKey: 'id', groupKeyUntil: '2099-12-31' });
      const returned = await story.pageHere(MOVED, BEFORE);
      await story.talk(returned, 'three and a half');
      returned.client.close();
      const here = await story.pageHere(MOVED, 'moved-1');
      await story.talk(here, 'four');
      await story.talk(staying, 'five');
      await story.agentThere(MOVED, 'moved-1', 'six');
      await here.hears.first(3);
      assert.equal(here.hears.items.at(-1), 'six');
      await story.assertOnce();

      // Move it back.
      here.client.close();
      const back = await story.pageThere(MOVED, 'moved-1');
      await story.talk(back, 'seven');
      await story.agentThere(MOVED, 'moved-1', 'eight');
      await back.hears.first(3);
      await story.assertOnce();

      // Move the desks.
      const desk = await server.connect();
      const token = server.token('admin', 'ann', { dealer: MOVED });
      desk.send('admin_join', { type: 'ADMIN_JOIN', dealerId: MOVED, adminId: 'ann', token });
      await desk.next('session');
      story.said.get(MOVED)?.push('nine');
      await desk.ask('admin_message', { type: 'UPDATE_MSG', groupId: 'moved-1', message: 'nine' });
      await back.hears.first(4);
      assert.equal(back.hears.items.at(-1), 'nine');
      await story.assertOnce();

      // Stop the old server: whoever was there comes to Telle.
      const last = await story.pageHere(STAYING, 'stays-3');
      await server.store.putDealer(STAYING, { origins: [] });
      await story.talk(last, 'ten');
      await story.assertOnce();
    });
  });
});
