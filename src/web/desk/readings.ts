/** Readings over HTTP, merged into the picture. */
import { intentsOf } from './chat.ts';
import { type Conversation, newConversation, withItem } from './conversation.ts';
import { withLatest, withOlder } from './history.ts';
import type { Picture } from './picture.ts';
import { type Lists, Reader, ReadingError, type RecordList } from './reader.ts';
import { knownOf, NOTHING } from './record.ts';
import type { SignIn } from './sign-in.ts';

/** The most pages of each list that are read at once: 2,000 conversations. */
const PAGES = 10;
/** As many intents and page views of one customer as are read. */
const RECORDS = 50;
/** Time for which news of unlisted conversations is gathered before they are looked up, in milliseconds. */
const GATHERING = 500;
/** As many records as are read anew at once: with all else that is read, far less than a server takes of one token [P-11.6]. */
const AT_ONCE = 8;

export class Readings {
  readonly #reader: Reader;
  readonly #picture: Picture;
  /** Ends what is read for a session, and for the conversation that is open. */
  #session = new AbortController();
  #opening = new AbortController();
  /** Where the list goes on, if it does. */
  #next: string | null = null;
  #isOlderAsked = false;
  #lookUp: ReturnType<typeof setTimeout> | undefined;
  /** The records that are to be read anew: each as the name of its list, and its conversation. */
  readonly #stale = new Set<`${RecordList}/${string}`>();
  #renewal: ReturnType<typeof setTimeout> | undefined;

  constructor(signIn: SignIn, picture: Picture) {
    this.#reader = new Reader(signIn);
    this.#picture = picture;
  }

  stop(): void {
    this.#session.abort();
    this.#opening.abort();
    clearTimeout(this.#lookUp);
    clearTimeout(this.#renewal);
  }

  /** Everything of the list anew, for a session that begins. */
  list(): void {
    this.#session.abort();
    this.#session = new AbortController();
    const { signal } = this.#session;
    const pages = <Name extends keyof Lists>(name: Name) => this.#reader.pages(name, PAGES, signal);
    quietly(
      this.#picture.read(
        () => Promise.all([pages('groups'), pages('users'), pages('leads'), pages('pageviews')]),
        ([groups, users, leads, visits]) => {
          this.#picture.conversations = conversationsOf(groups.items, users.items, leads.items, visits.items);
          this.#picture.isListed = true;
          this.#next = groups.next;
        },
      ),
    );
  }

  get hasMore(): boolean {
    return this.#next !== null;
  }

  /** Goes on with the list, where something happened longer ago. */
  async listMore(): Promise<void> {
    const cursor = this.#next;
    if (cursor === null) return;
    this.#next = null;
    const { signal } = this.#session;
    const reading = this.#picture.read(
      () => this.#reader.list('groups', { cursor }, signal),
      ({ items, next }) => {
        for (const item of items) this.#picture.list(item);
        this.#next = next;
      },
    );
    await reading.catch(() => {
      this.#next ??= cursor;
    });
  }

  /** Looks up conversations that were not listed when something happened in them: they are the first there now. */
  lookUpSoon(): void {
    if (!this.hasMore) return; // all were listed: it is new
    const { signal } = this.#session;
    this.#lookUp ??= setTimeout(() => {
      this.#lookUp = undefined;
      const reading = this.#picture.read(
        () => this.#reader.list('groups', {}, signal),
        ({ items }) => {
          for (const item of items) this.#picture.list(item);
        },
      );
      quietly(reading);
    }, GATHERING);
  }

  /** Reads a record anew, soon: however often it is written, once in a while. */
  renewSoon(groupId: string, name: RecordList): void {
    this.#stale.add(`${name}/${groupId}`);
    this.#renewal ??= setTimeout(() => this.#renew(), GATHERING);
  }

  #renew(): void {
    this.#renewal = undefined;
    const openId = this.#picture.chat?.groupId;
    // What somebody looks at comes first.
    const stale = [...this.#stale].sort((a, b) => Number(b.endsWith(`/${openId}`)) - Number(a.endsWith(`/${openId}`)));
    for (const key of stale.slice(0, AT_ONCE)) {
      this.#stale.delete(key);
      const [name, groupId = ''] = key.split('/') as [RecordList, string];
      if (name !== 'lead-intents') quietly(this.#renewRecord(groupId, name));
      else if (groupId === openId) quietly(this.#renewIntents(groupId));
    }
    if (this.#stale.size > 0) this.#renewal = setTimeout(() => this.#renew(), GATHERING);
  }

  #renewRecord(groupId: string, name: 'users' | 'leads'): Promise<void> {
    return this.#picture.read(
      () => this.#reader.list(name, { groupId }, this.#session.signal),
      ({ items: [item] }) => {
        const known = this.#picture.conversations.get(groupId);
        const record = item ? knownOf(item) : NOTHING;
        const change = name === 'users' ? { user: record } : { lead: record };
        if (known) this.#picture.conversations.set(groupId, { ...known, ...change });
      },
    );
  }

  #renewIntents(groupId: string): Promise<void> {
    return this.#picture.read(
      () => this.#reader.list('lead-intents', { groupId, limit: RECORDS }, this.#opening.signal),
      ({ items }) => {
        if (this.#picture.chat?.groupId === groupId) this.#picture.updateChat({ intents: intentsOf(items) });
      },
    );
  }

  /** Reads the open conversation, in place of another's reading. */
  open(groupId: string, ready: () => void): void {
    this.close();
    this.#opening = new AbortController();
    const { signal } = this.#opening;
    const list = async <Name extends keyof Lists>(name: Name) =>
      (await this.#reader.list(name, { groupId, limit: RECORDS }, signal)).items;
    const reading = this.#picture.read(
      () =>
        Promise.all([
          this.#reader.events(groupId, signal),
          list('users'),
          list('leads'),
          list('lead-intents'),
          list('pageviews'),
        ]),
      ([events, [user], [lead], intents, visits]) => {
        const { chat, conversations } = this.#picture;
        const known = conversations.get(groupId);
        const [visit = known?.visit ?? null] = visits;
        const records = { user: user ? knownOf(user) : NOTHING, lead: lead ? knownOf(lead) : NOTHING };
        if (known) conversations.set(groupId, { ...known, ...records, visit });
        if (chat)
          this.#picture.updateChat({
            intents: intentsOf(intents),
            visits,
            ...withLatest(chat, events),
            status: 'ready',
          });
      },
    );
    quietly(
      reading.then(ready, (error: unknown) => {
        if (error instanceof ReadingError && error.status === 404) this.#picture.updateChat({ status: 'gone' });
        throw error;
      }),
    );
  }

  /** No conversation is open any more. */
  close(): void {
    this.#opening.abort();
  }

  /** The page before the first line of the conversation that is open. */
  async older(): Promise<void> {
    const { chat } = this.#picture;
    if (!chat?.hasOlder || this.#isOlderAsked) return;
    this.#isOlderAsked = true;
    try {
      const page = await this.#reader.events(chat.groupId, this.#opening.signal, chat.lines[0]?.seq);
      const now = this.#picture.chat;
      if (now?.groupId === chat.groupId) this.#picture.updateChat(withOlder(now, page));
    } catch {
      // It is asked for again by the next scrolling.
    } finally {
      this.#isOlderAsked = false;
    }
  }

  /** The last announcements, the last one last. */
  async announcements(): Promise<readonly { at: string; adminId: string; message: string }[]> {
    const { items } = await this.#reader.events('@dealer', this.#session.signal);
    return items.flatMap(({ at, payload }) => (payload.type === 'SYS_MSG' ? [{ at, ...payload }] : []));
  }
}

/** A reading that is of no more interest, or not allowed, just ends: of the latter the socket hears too. */
function quietly(reading: Promise<void>): void {
  reading.catch((error: unknown) => {
    const isExpected = error instanceof ReadingError || (error instanceof DOMException && error.name === 'AbortError');
    if (!isExpected) throw error;
  });
}

function conversationsOf(
  groups: readonly Lists['groups'][],
  users: readonly Lists['users'][],
  leads: readonly Lists['leads'][],
  visits: readonly Lists['pageviews'][],
): Map<string, Conversation> {
  const all = new Map(
    groups.map((item) => [item.groupId, withItem(newConversation(item.groupId, item.createdAt), item)]),
  );
  const set = (groupId: string, change: (known: Conversation) => Partial<Conversation>) => {
    const known = all.get(groupId);
    if (known) all.set(groupId, { ...known, ...change(known) });
  };
  for (const item of users) set(item.groupId, () => ({ user: knownOf(item) }));
  for (const item of leads) set(item.groupId, () => ({ lead: knownOf(item) }));
  // The last come first.
  for (const visit of visits) set(visit.groupId, (known) => ({ visit: known.visit ?? visit }));
  return all;
}
