/** What this process holds of its servers: how much is in each map, set and list that their objects keep to themselves. */
import { Session } from 'node:inspector/promises';
import { RedisBus } from '../../src/bus/redis.ts';
import { Hub } from '../../src/hub/hub.ts';
import { Presence } from '../../src/hub/presence.ts';
import { Sequencer } from '../../src/hub/sequencer.ts';
import { Journal } from '../../src/journal/journal.ts';

/** Counts by what is counted, such as `Hub#rooms`. */
export type Census = Readonly<Record<string, number>>;

/** Each object of these classes that has ever been used, as long as it lives. */
const keepers = new Set<WeakRef<object>>();

/** Notes the objects of a class as soon as a method of theirs is called. */
function watch(prototype: object, method: string): void {
  const own: unknown = Reflect.get(prototype, method);
  if (typeof own !== 'function') throw new Error(`there is no ${method}`);
  const known = new WeakSet<object>();
  Reflect.set(prototype, method, function (this: object, ...args: unknown[]) {
    if (!known.has(this)) {
      known.add(this);
      keepers.add(new WeakRef(this));
    }
    return own.apply(this, args);
  });
}
watch(Hub.prototype, 'enter');
watch(Presence.prototype, 'came');
watch(Journal.prototype, 'append');
watch(Sequencer.prototype, 'follow');
watch(RedisBus.prototype, 'listen');

interface Property {
  readonly name: string;
  readonly value?: { readonly description?: string };
}

/** The private fields among an object's properties, which the inspector tells and its types leave out. */
const privateOf = (answer: object): Property[] =>
  'privateProperties' in answer && Array.isArray(answer.privateProperties) ? answer.privateProperties : [];

export async function census(): Promise<Census> {
  const session = new Session();
  session.connect();
  const counts: Record<string, number> = {};
  try {
    for (const keeper of keepers) {
      const object = keeper.deref();
      if (!object) continue;
      Reflect.set(globalThis, 'counted', object);
      const { result } = await session.post('Runtime.evaluate', { expression: 'counted' });
      const answer = await session.post('Runtime.getProperties', { objectId: result.objectId ?? '' });
      for (const { name, value } of privateOf(answer)) {
        const [, size] = /^(?:Map|Set|Array)\((\d+)\)$/.exec(value?.description ?? '') ?? [];
        const field = object.constructor.name + name;
        if (size !== undefined) counts[field] = (counts[field] ?? 0) + Number(size);
      }
    }
  } finally {
    Reflect.deleteProperty(globalThis, 'counted');
    session.disconnect();
  }
  return counts;
}

/** How long what has gone may take to be let go, and how often it is looked for, in ms. */
const PATIENCE = 10_000;
const LOOK = 100;

/** What there is more of than before, in words; empty as soon as there is nothing. */
export async function leftSince(before: Census): Promise<string[]> {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    const now = await census();
    const grown = Object.entries(now).filter(([name, count]) => count > (before[name] ?? 0));
    if (grown.length === 0 || performance.now() > deadline) {
      return grown.map(([name, count]) => `${name}: ${before[name] ?? 0} before, ${count} now`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
}
