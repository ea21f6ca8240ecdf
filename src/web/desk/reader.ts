/** [P-11.3] Reader of the past: lists and logs, over HTTP. */
import type {
  GroupItem,
  IntentItem,
  LeadItem,
  PageviewItem,
  RecordItem,
  SearchItem,
} from '../../../schemas/reading.ts';
import type { Delivered, Stamp } from '../../client/index.ts';
import type { SignIn } from './sign-in.ts';

export interface Frame extends Stamp {
  readonly payload: Delivered[keyof Delivered][0];
}

/** The lists of a dealer, and what each is made of. */
export interface Lists {
  readonly groups: (typeof GroupItem)['static'];
  readonly users: (typeof RecordItem)['static'];
  readonly leads: (typeof LeadItem)['static'];
  readonly 'lead-intents': (typeof IntentItem)['static'];
  readonly pageviews: (typeof PageviewItem)['static'];
  readonly search: (typeof SearchItem)['static'];
}

/** The lists of what is known of customers, a record of each conversation or several. */
export type RecordList = 'users' | 'leads' | 'lead-intents';

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

type Query = Readonly<Record<string, string | number>>;

/** Error of something that cannot be read, and will not be on another try. */
export class ReadingError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}

/** [P-11.3] The end of a log. */
const END = Number.MAX_SAFE_INTEGER;
const PAGE = 200;
/** Of a log, as much as fills a screen or two. */
const SCREEN = 50;
/** Between two tries, in milliseconds: the first pause, and the longest. */
const PAUSE = { first: 500, most: 15_000 };

export class Reader {
  readonly #signIn: SignIn;

  constructor(signIn: SignIn) {
    this.#signIn = signIn;
  }

  /** One page of a list, from where a cursor says. */
  list<Name extends keyof Lists>(name: Name, query: Query, signal: AbortSignal): Promise<Page<Lists[Name]>> {
    return this.#get(name, { limit: PAGE, ...query }, signal);
  }

  /** Page after page, up to so many. */
  async pages<Name extends keyof Lists>(
    name: Name,
    most: number,
    signal: AbortSignal,
    query: Query = {},
  ): Promise<Page<Lists[Name]>> {
    const items: Lists[Name][] = [];
    let next: string | null = null;
    for (let count = 0; count < most && (count === 0 || next !== null); count += 1) {
      const page: Page<Lists[Name]> = await this.list(name, next === null ? query : { ...query, cursor: next }, signal);
      items.push(...page.items);
      next = page.next;
    }
    return { items, next };
  }

  /** The last events of a scope before a seq, ascending. */
  events(scope: string, signal: AbortSignal, before = END): Promise<Page<Frame>> {
    return this.#get(`scopes/${encodeURIComponent(scope)}/events`, { before, limit: SCREEN }, signal);
  }

  /** Asks until it is answered, or of no more interest. */
  async #get<Body>(path: string, query: Query, signal: AbortSignal): Promise<Body> {
    const { token, dealerId } = this.#signIn;
    const asked = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
    const url = `/v1/dealers/${encodeURIComponent(dealerId)}/${path}?${asked}`;
    for (let pause = PAUSE.first; ; pause = Math.min(PAUSE.most, pause * 2)) {
      const response = await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal }).catch(() => null);
      signal.throwIfAborted();
      if (response?.ok) return response.json();
      const isPassing = response === null || response.status === 429 || response.status >= 500;
      if (!isPassing) throw new ReadingError(response.status);
      await rest(Number(response?.headers.get('retry-after')) * 1000 || pause, signal);
    }
  }
}

function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
