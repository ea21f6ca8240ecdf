/** What a lockfile of npm holds for whoever installs the package without its development: found by going from need to need. */
import { join } from 'node:path/posix';

interface Needs {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

export interface Locked {
  readonly packages: Readonly<Record<string, Needs>>;
}

/** @returns the places in the lockfile, such as `node_modules/ws` */
export function lockedBy({ packages }: Locked): Set<string> {
  const found = new Set<string>();
  const waiting = [''];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    for (const name of neededBy(packages[place] ?? {})) {
      const where = placeOf(name, place, packages);
      if (where === null || found.has(where)) continue;
      found.add(where);
      waiting.push(where);
    }
  }
  return found;
}

function neededBy({ dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta }: Needs): string[] {
  const peers = Object.keys(peerDependencies ?? {}).filter((name) => !peerDependenciesMeta?.[name]?.optional);
  return [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers];
}

/** Where Node.js finds it: beside whoever needs it, or further up. */
function placeOf(name: string, from: string, packages: Readonly<Record<string, unknown>>): string | null {
  const place = join(from, 'node_modules', name);
  if (place in packages) return place;
  return from === '' ? null : placeOf(name, from.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, ''), packages);
}
