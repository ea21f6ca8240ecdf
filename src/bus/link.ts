/**
 * This node's ties to Redis and the database: what is wrong with Redis now, which is said once a minute while it lasts, and whether the
 * others have been well for so long without this node that its sockets are better off with them. That the others hear each other over
 * Redis is asked of the database; that it answers them is heard over Redis.
 */

/** Part that can be in trouble: the lines between nodes, what other servers publish, their stream, a dialect's services, writes, the user's rights, other platforms. */
export type Part = 'nodes' | 'events' | 'stream' | 'dialect' | 'writes' | 'rights' | 'strangers';

/** Interval between looks, time after which a fault is a trouble, and interval at which a trouble is repeated, in ms. */
const INTERVAL = 1_000;
const SILENCE = 5_000;
const SAY_EVERY = 60_000;

/** Name under which a node that does not hear the others notes that it lives, beside its own. */
const deafName = (nodeId: string): string => `deaf:${nodeId}`;

/** Of the nodes that live, those that hear each other. */
export function hearing(living: readonly string[]): string[] {
  const names = new Set(living);
  return living.filter((each) => !each.startsWith(deafName('')) && !names.has(deafName(each)));
}

/** Methods of the database that tell who else serves it. */
interface Nodes {
  beat(nodeId: string): Promise<unknown>;
  removeNode(nodeId: string): Promise<void>;
  livingNodes(ms: number): Promise<string[]>;
}

/** Methods of the bus that tell others, and are told, who has the database. */
interface Bus {
  tellWell(): void;
  areOthersWell(ms: number): boolean;
}

/** Server that a node may have lost while others have it. */
export type Tie = 'redis' | 'database';

interface Options {
  readonly nodeId: string;
  readonly nodes: Nodes;
  readonly bus: Bus;
  /** Time that a node may be silent before it counts as dead, in ms. */
  readonly silence: number;
  /** Time that others may be well without this node before it sends its sockets to them, in ms. */
  readonly patience: number;
  readonly say: (part: Part, sentence: string) => void;
  readonly count: (part: Part) => void;
}

interface Trouble {
  readonly sentence: string;
  readonly saidAt: number;
}

/** Condition of a part. */
export interface Condition {
  /** Fault, in words; null: none. */
  readonly fault: string | null;
  /** Time since when there is one, or none, in ms since 1970. */
  readonly since: number;
}

/** Fault where nothing comes back. */
export const SILENT =
  'nothing that this node publishes to Redis comes back to it: look at Redis, at REDIS_URL and at the network';

export class Link {
  readonly #options: Options;
  readonly #timer: NodeJS.Timeout;
  readonly #troubles = new Map<Part, Trouble>();
  readonly #conditions = new Map<Part, Condition>();
  readonly #watched = new Map<Part, { faultOf: () => string | null; looks: number }>();
  /** For how many looks others have had what this node has not. */
  readonly #alone = new Map<Tie, number>();
  #answeredAt = performance.now();
  #isNotedDeaf = false;
  #looking: Promise<void> | null = null;
  #sendAway = (_: Tie) => {};

  constructor(options: Options) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), INTERVAL).unref();
  }

  /** Asks again and again what is wrong, in words; null: nothing. */
  watch(part: Part, faultOf: () => string | null): void {
    this.#watched.set(part, { faultOf, looks: 0 });
    this.#see(part, faultOf());
  }

  /** Has something done when others have been well without this node for too long. */
  whenAway(action: (lost: Tie) => void): void {
    this.#sendAway = action;
  }

  /** The database has answered this node, which tells the others so. */
  answered(): void {
    this.#answeredAt = performance.now();
    this.#options.bus.tellWell();
  }

  note(part: Part, sentence: string): void {
    const { say, count } = this.#options;
    const before = this.#troubles.get(part);
    const now = performance.now();
    const isNews = before === undefined || now - before.saidAt >= SAY_EVERY;
    this.#troubles.set(part, { sentence, saidAt: isNews ? now : before.saidAt });
    this.#see(part, sentence);
    if (before === undefined) count(part);
    if (isNews) say(part, sentence);
  }

  mend(part: Part): void {
    this.#troubles.delete(part);
    this.#see(part, null);
  }

  #see(part: Part, fault: string | null): void {
    const before = this.#conditions.get(part);
    const isAsBefore = before !== undefined && (before.fault === null) === (fault === null);
    this.#conditions.set(part, { fault, since: isAsBefore ? before.since : Date.now() });
  }

  /** Conditions of all parts, as they were last looked at: a fault is here before it is a trouble. */
  get conditions(): ReadonlyMap<Part, Condition> {
    return this.#conditions;
  }

  /** Troubles of now, by part. */
  get troubles(): Readonly<Partial<Record<Part, string>>> {
    return Object.fromEntries([...this.#troubles].map(([part, { sentence }]) => [part, sentence]));
  }

  /** True where this node's sockets are better off with another. */
  get isAway(): boolean {
    return Math.max(0, ...this.#alone.values()) * INTERVAL >= this.#options.patience;
  }

  /** Ends the looking. What was noted stays until this node counts as dead: it must not seem to have heard the others at the end. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  #look(): void {
    for (const [part, watched] of this.#watched) {
      const fault = watched.faultOf();
      watched.looks = fault === null ? 0 : watched.looks + 1;
      if (fault === null) this.mend(part);
      else if (watched.looks * INTERVAL >= SILENCE) this.note(part, fault);
      else this.#see(part, fault);
    }
    const isUnanswered = performance.now() - this.#answeredAt >= SILENCE;
    this.#count('database', isUnanswered && this.#options.bus.areOthersWell(SILENCE));
    this.#looking ??= this.#compare(this.#troubles.has('nodes'))
      .catch(() => {}) // that the database is away is told where it is asked
      .finally(() => {
        this.#looking = null;
      });
  }

  /** Finds out whether sockets are better off with others: where nobody hears anybody, clients stay where they are. */
  async #compare(isDeaf: boolean): Promise<void> {
    const { nodeId, nodes, silence } = this.#options;
    const deaf = deafName(nodeId);
    if (!isDeaf) {
      this.#count('redis', false);
      if (this.#isNotedDeaf) await nodes.removeNode(deaf);
      this.#isNotedDeaf = false;
      return;
    }
    this.#isNotedDeaf = true;
    await nodes.beat(deaf);
    this.#count('redis', hearing(await nodes.livingNodes(silence)).length > 0);
  }

  #count(tie: Tie, isAlone: boolean): void {
    const wasAway = this.isAway;
    this.#alone.set(tie, isAlone ? (this.#alone.get(tie) ?? 0) + 1 : 0);
    if (this.isAway && !wasAway) this.#sendAway(tie);
  }
}
