/** Expectations of a case. */
import { isDeepStrictEqual } from 'node:util';

/** @throws where what came is something else */
export function same(what: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
}

/** @throws where what came has other values in the fields that are expected */
export function holds(what: string, actual: Readonly<Record<string, unknown>>, expected: object): void {
  const named = Object.fromEntries(Object.keys(expected).map((name) => [name, actual[name]]));
  same(what, named, { ...expected });
}

export function check(isTrue: boolean, why: string): void {
  if (!isTrue) throw new Error(why);
}
