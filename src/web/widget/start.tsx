/** The widget of a page: which conversation it shows, and what the page may have it do. */
import { render } from 'preact';
import type { Token } from '../../client/index.ts';
import type { Page } from './address.ts';
import { App } from './app.tsx';
import { countInTitle, soundFor } from './attention.ts';
import { watchBack } from './back.ts';
import { Conversation } from './conversation.ts';
import { telling } from './group.ts';
import { addStyle, type Host, makeHost } from './host.ts';
import { loadMore, more } from './lazy.ts';
import type { Entry } from './log.ts';
import { Memories, type Memory } from './memory.ts';
import type { Options } from './options.ts';
import { followPages } from './pageviews.ts';
import type { Trouble } from './reasons.ts';
import type { Person } from './records.ts';
import type { Vehicle } from './vehicle.ts';
import { wordsFor } from './words.ts';

/** Interval at which it is asked whether somebody is here, while the customer has said nothing, in milliseconds. */
const LOOKS_AGAIN = 20_000;

/** The one global, `telle`. */
export interface Telle {
  /** Opens the panel. */
  open(): void;
  /** Closes the panel; the conversation goes on. */
  close(): void;
  /** Says who the customer is: any fields of a user [P-6.4]. Another `externalId` is another customer. */
  setUser(person: Person): void;
  /** Says which vehicle the page is about [P-6.4]; null: none that we said. */
  setVehicle(vehicle: Vehicle | null): void;
  /** Goes on as the customer that a token of the dealer's own backend names [P-4]: the token, or what fetches one. */
  login(token: Token): void;
  /** Forgets the customer: who comes next at this browser is somebody new. */
  logout(): void;
}

class Widget {
  #options: Options;
  readonly #memories: Memories;
  #conversation: Conversation;
  #host: Host | undefined;
  #page: Page | undefined;
  #vehicle: Vehicle | undefined;
  #isOpen: boolean;
  /** True where the customer, or the page for them, has opened or closed it: a page change has not. */
  #isWanted = false;
  #isDrawing = false;
  #hasStyle = false;
  #looking: ReturnType<typeof setInterval> | undefined;
  /** Message that came while the panel was closed. */
  #preview: Entry | undefined;
  readonly #tellBack = watchBack(() => this.show(false));

  constructor(options: Options) {
    this.#options = options;
    this.#memories = new Memories(options.dealerId);
    this.#vehicle = options.vehicle;
    this.#isOpen = this.#memories.isOpen.get();
    this.#conversation = this.#begin(this.#memories.current());
    // The page's own word comes first: it may say who the customer is as soon as this script has run.
    if (document.body) setTimeout(() => this.#appear());
    else addEventListener('DOMContentLoaded', () => this.#appear());
  }

  #begin(memory: Memory, token?: Token): Conversation {
    const conversation: Conversation = new Conversation({
      options: this.#options,
      memory,
      later: () => loadMore(this.#options.home),
      token,
      visit: { page: () => this.#pageHere(), vehicle: () => this.#vehicleHere() },
      changed: () => conversation === this.#conversation && this.#changed(),
      failed: (trouble) => this.#explain(trouble),
      heard: (entry) => this.#heard(entry),
    });
    return conversation;
  }

  /** The customer is somebody else: what was theirs is shown no more, and waits for them. */
  #become(memory: Memory, token?: Token): void {
    this.#conversation.leave();
    this.#conversation = this.#begin(memory, token);
    clearInterval(this.#looking);
    this.#looking = this.#preview = undefined;
    this.#draw();
  }

  async #appear(): Promise<void> {
    const { lang, base, own, hasPageviews } = this.#options;
    this.#options = { ...this.#options, words: await wordsFor(lang, base, own) };
    this.#host = makeHost();
    document.addEventListener('visibilitychange', () => this.#draw());
    addEventListener('storage', (event) => this.#changedElsewhere(event));
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', () => this.#draw());
    if (hasPageviews) {
      followPages((page) => {
        this.#page = page;
        this.#conversation.records.tellPage();
      });
    }
    this.#draw();
  }

  /** Another tab has begun the conversation, has read on, or has another customer. */
  #changedElsewhere({ key, newValue }: StorageEvent): void {
    const { memory, isLoggedIn } = this.#conversation;
    const isForgotten = key === memory.hasBegun.key && newValue === null;
    if (isForgotten || (key === this.#memories.currentKey && !isLoggedIn)) this.#become(this.#memories.current());
    else if (key === memory.hasBegun.key || key === memory.read.key) this.#draw();
  }

  #changed(): void {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    queueMicrotask(() => {
      this.#isDrawing = false;
      this.#draw();
    });
  }

  /** Nobody is told of a visitor who has no conversation, not even of one who looks into the panel. */
  #draw(): void {
    if (!this.#host) return;
    const conversation = this.#conversation;
    const isOpen = this.#isOpen;
    if (conversation.state === 'idle' && conversation.isOn) conversation.connect();
    const { hasBegun } = conversation.memory;
    if (!hasBegun.get() && conversation.entries.some(({ kind }) => kind !== 'announcement')) hasBegun.set(true);
    if (isOpen && !document.hidden && conversation.unread.length > 0) conversation.read();
    if (isOpen || conversation.isOn) this.#loadMore();
    this.#look(isOpen && !document.hidden && conversation.state === 'idle');
    this.#tellBack(isOpen);
    countInTitle(conversation.unread.length);
    const { frame } = this.#host;
    const { theme, direction } = this.#options;
    const isDark = theme ? theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    const look = `frame ${isDark ? 'dark' : 'light'}`;
    // Said again, each has the browser look at every element and text in it.
    if (frame.className !== look) frame.className = look;
    if (frame.dir !== direction) frame.dir = direction;
    render(
      <App
        key={conversation.memory}
        conversation={conversation}
        options={this.#options}
        isOpen={isOpen}
        isWanted={this.#isWanted}
        preview={isOpen ? undefined : this.#preview}
        toggle={() => this.show(!isOpen)}
        dismiss={() => {
          this.#preview = undefined;
          this.#draw();
        }}
      />,
      frame,
    );
  }

  /** Asks whether somebody is here, again and again, while the customer sees it. */
  #look(isWanted: boolean): void {
    if (isWanted === (this.#looking !== undefined)) return;
    clearInterval(this.#looking);
    const look = () => this.#conversation.look();
    this.#looking = isWanted ? setInterval(look, LOOKS_AGAIN) : undefined;
    if (isWanted) look();
  }

  #heard(entry: Entry): void {
    const isSeen = this.#isOpen && !document.hidden;
    if (isSeen) return;
    this.#preview = entry;
    if (this.#options.hasSound) soundFor(entry.id);
  }

  async #loadMore() {
    if (more) return more;
    try {
      const found = await loadMore(this.#options.home);
      if (!this.#hasStyle && this.#host) addStyle(this.#host.root, found.panelStyle);
      this.#hasStyle = this.#host !== undefined;
      this.#changed();
      return found;
    } catch {
      return undefined; // it is tried again
    }
  }

  async #pageHere(): Promise<Page | undefined> {
    const found = await this.#loadMore();
    return this.#page && found?.told(this.#page, this.#options.hasHash);
  }

  /** The vehicle that the page is about: by its own word, else by what it tells search engines. */
  async #vehicleHere(): Promise<Vehicle | undefined> {
    return this.#vehicle ?? (await this.#loadMore())?.vehicleOn(document);
  }

  async #explain(trouble: Trouble): Promise<void> {
    const { base, dealerId } = this.#options;
    const more = await this.#loadMore();
    console.error(more?.reasonOf(trouble, { dealerId, server: base.origin }) ?? `telle: ${trouble}`);
  }

  show(open: boolean): void {
    this.#isOpen = open;
    this.#isWanted = open || Boolean(this.#host?.root.activeElement);
    this.#preview = undefined;
    this.#memories.isOpen.set(open);
    this.#draw();
  }

  setUser(person: Person): void {
    const { externalId } = person;
    const isNamed = (typeof externalId === 'string' && externalId !== '') || typeof externalId === 'number';
    if (isNamed && !this.#conversation.isLoggedIn && this.#memories.identify(String(externalId))) {
      this.#become(this.#memories.current());
    }
    this.#conversation.records.setUser(isNamed ? { ...person, externalId: String(externalId) } : person);
  }

  setVehicle(vehicle: Vehicle | null): void {
    this.#vehicle = vehicle ?? undefined;
    this.#conversation.records.tellPage();
  }

  login(token: Token): void {
    const { memory, settle } = this.#memories.loggedIn();
    const told = telling(token, (group) => {
      if (settle(group) && this.#conversation.memory === memory) this.#conversation.remember();
    });
    this.#become(memory, told);
  }

  logout(): void {
    this.#conversation.leave();
    this.#memories.leave(this.#conversation.memory);
    this.#become(this.#memories.current());
  }
}

export function start(options: Options): Telle {
  const widget = new Widget(options);
  return {
    open: () => widget.show(true),
    close: () => widget.show(false),
    setUser: (person) => widget.setUser(person),
    setVehicle: (vehicle) => widget.setVehicle(vehicle),
    login: (token) => widget.login(token),
    logout: () => widget.logout(),
  };
}
