/** Readings over HTTP, merged into the picture. */
import { intentsOf } from './chat.ts';
import { type Conversation, newConversation, withItem } from './conversation.ts';
import { withLatest, withOlder } from './history.ts';
import { Needs } from './needs.ts';
import type { Picture } from './picture.ts';
import { type Lists, type Page, Reader, ReadingError, type RecordList } from './reader.ts';
import { type Known, knownOf, NOTHING } from './record.ts';
import type { SignIn } from './sign-in.ts';

/** The most pages of each list that are read at once: 2,000 conversations. */
const PAGES = 10;
/** As many intents and page views of one customer as are read. */
const RECORDS = 50;
/** Time for which news of records is gathered before they are read, in milliseconds. */
const GATHERING = 500;
/** As many records as are read anew at once: with all else that is read, far less than a server takes of one token [P-11.6]. */
const AT_ONCE = 8;
/** As many conversations as are found at a time. */
const FOUND = 20;

export class Readings {
  readonly #reader: Reader;
  readonly #picture: Picture;
  readonly #needs = new Needs((groupIds) => this.#readNamed(groupIds));
  /** Ends what is read for a session, and for the conversation that is open. */
  #session = new AbortController();
  #opening = new AbortController();
  /** Where the list goes on, if it does. */
  #next: string | null = null;
  #isOlderAsked = false;
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
    clearTimeout(this.#renewal);
  }

  /**
   * Everything of the list anew, for a session that begins.
   * @param listed told of each conversation as it was before and is now
   */
  list(listed: (before: Conversation | undefined, now: Conversation) => void): void {
    this.#session.abort();
    this.#session = new AbortController();
    const { signal } = this.#session;
    const pages = <Name extends keyof Lists>(name: Name) => this.#reader.pages(name, PAGES, signal);
    const waiting = (query: object) =>
      this.#reader.pages('groups', PAGES, signal, { order: 'waiting', waiting: 'admin', ...query });
    quietly(
      this.#picture.read(
        () =>
          Promise.all([
            pages('groups'),
            pages('users'),
            pages('leads'),
            pages('pageviews'),
            waiting({}),
            waiting({ overdue: true }),
            this.#reader.events('@desk', signal),
          ]),
        ([groups, users, leads, visits, waits, overdue, calls]) => {
          const before = this.#picture.conversations;
          const now = conversationsOf(groups.items, users, leads, visits.items, before);
          // What was read beyond the list stays, and is read anew when it is needed.
          const beyond =
            groups.next === null ? [] : [...before].map(([id, each]) => [id, { ...each, isKnown: false }] as const);
          this.#picture.conversations = new Map([...beyond, ...now]);
          // Whoever waits is there, however long nothing has happened.
          for (const item of waits.items) this.#picture.list(item);
          this.#picture.listOverdue(overdue.items);
          this.#picture.listHandoffs(calls.items);
          if (this.#picture.isListed) for (const [groupId, each] of now) listed(before.get(groupId), each);
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

  /** Reads a conversation as the server has it, with all that is known of its customer. Resolves when that is done, or cannot be. */
  need(groupId: string): Promise<void> {
    return this.#needs.need(groupId);
  }

  /** {@link need}, unless it is known. */
  async know(groupId: string): Promise<void> {
    if (!this.#picture.conversations.get(groupId)?.isKnown) await this.need(groupId);
  }

  async #readNamed(groupIds: readonly string[]): Promise<void> {
    const { signal } = this.#session;
    const query = { groupId: groupIds.join(',') };
    const list = <Name extends keyof Lists>(name: Name) => this.#reader.list(name, query, signal);
    const reading = this.#picture.read(
      () => Promise.all([list('groups'), list('users'), list('leads')]),
      ([groups, users, leads]) => {
        const [user, lead] = [knownByGroup(users.items), knownByGroup(leads.items)];
        const there = new Set(groups.items.map(({ groupId }) => groupId));
        for (const groupId of groupIds) if (!there.has(groupId)) this.#picture.forget(groupId);
        for (const item of groups.items) {
          this.#picture.list(item, { user: user.get(item.groupId), lead: lead.get(item.groupId) });
        }
      },
    );
    await reading.catch(unlessExpected);
  }

  /** A page of what the server finds. */
  search(text: string, cursor: string | null, signal: AbortSignal): Promise<Page<Lists['search']>> {
    return this.#reader.list('search', { q: text, limit: FOUND, ...(cursor !== null && { cursor }) }, signal);
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
          list('groups'),
          list('users'),
          list('leads'),
          list('lead-intents'),
          list('pageviews'),
        ]),
      ([events, [item], [user], [lead], intents, visits]) => {
        const { chat } = this.#picture;
        if (!item) throw new ReadingError(404);
        const [visit] = visits;
        this.#picture.list(item, { user: user && knownOf(user), lead: lead && knownOf(lead), ...(visit && { visit }) });
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
  reading.catch(unlessExpected);
}

function unlessExpected(error: unknown): void {
  const isExpected = error instanceof ReadingError || (error instanceof DOMException && error.name === 'AbortError');
  if (!isExpected) throw error;
}

const knownByGroup = (records: readonly Lists['users'][]): Map<string, Known> =>
  new Map(records.map((record) => [record.groupId, knownOf(record)]));

function conversationsOf(
  groups: readonly Lists['groups'][],
  users: Page<Lists['users']>,
  leads: Page<Lists['leads']>,
  visits: readonly Lists['pageviews'][],
  before: ReadonlyMap<string, Conversation>,
): Map<string, Conversation> {
  const [user, lead] = [knownByGroup(users.items), knownByGroup(leads.items)];
  // The last come first.
  const visit = new Map(visits.toReversed().map((each) => [each.groupId, each]));
  const isAll = users.next === null && leads.next === null;
  const conversationOf = (item: Lists['groups']): Conversation => ({
    ...withItem(newConversation(item.groupId, item.createdAt), item),
    user: user.get(item.groupId) ?? (isAll ? NOTHING : (before.get(item.groupId)?.user ?? NOTHING)),
    lead: lead.get(item.groupId) ?? (isAll ? NOTHING : (before.get(item.groupId)?.lead ?? NOTHING)),
    isKnown: isAll,
    visit: visit.get(item.groupId) ?? before.get(item.groupId)?.visit ?? null,
  });
  return new Map(groups.map((item) => [item.groupId, conversationOf(item)]));
}
