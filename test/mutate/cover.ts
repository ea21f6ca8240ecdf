/** Loaded into each process of a test: writes down, when it ends, which mutants it has come by. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Namespace {
  readonly mutantCoverage?: { readonly static: Readonly<Record<string, number>> };
}

process.on('exit', () => {
  const namespace: Namespace = Reflect.get(globalThis, '__stryker__') ?? {};
  const ids = Object.keys(namespace.mutantCoverage?.static ?? {});
  writeFileSync(join(process.env.COVERED ?? '.', `${randomUUID()}.json`), JSON.stringify(ids));
});
