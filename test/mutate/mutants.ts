/** Mutants of sources, by Stryker's instrumenter: all of a file at once, each switched on by the environment. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../support/bundle.ts';
import { fetched } from '../support/fetched.ts';

/** The variable that says which mutant lives. */
export const ALIVE = '__STRYKER_ACTIVE_MUTANT__';

export interface Mutant {
  readonly id: string;
  readonly fileName: string;
  readonly mutatorName: string;
  readonly replacement: string;
  /** `Ignored`, where its kind is excluded. */
  readonly status?: string;
  readonly location: { readonly start: Position; readonly end: Position };
}

/** Both from 0. */
interface Position {
  readonly line: number;
  readonly column: number;
}

interface Source {
  readonly name: string;
  readonly content: string;
}

interface Instrumenter {
  instrument(
    sources: readonly (Source & { readonly mutate: true })[],
    options: { plugins: null; excludedMutations: readonly string[]; ignorers: readonly [] },
  ): Promise<{ files: readonly Source[]; mutants: readonly Mutant[] }>;
}

/** What a text says is for people to read, and what depends on one is a condition, which has mutants of its own. */
const EXCLUDED = ['StringLiteral'];

const SILENT = { isDebugEnabled: () => false, debug() {}, info() {}, warn() {} };

/**
 * @param paths from the project's root
 * @returns the mutants, and the text of each source with all of its own in it, by its path in the file system
 */
export async function mutantsOf(
  paths: readonly string[],
): Promise<{ mutants: readonly Mutant[]; texts: Map<string, string> }> {
  const entry = join(fetched('mutants'), 'node_modules/@stryker-mutator/instrumenter/dist/src/index.js');
  const { Instrumenter } = await import(pathToFileURL(entry).href);
  const instrumenter: Instrumenter = new Instrumenter(SILENT);
  const sources = await Promise.all(
    paths.map(async (name) => ({ name, mutate: true as const, content: await readFile(join(ROOT, name), 'utf8') })),
  );
  const { files, mutants } = await instrumenter.instrument(sources, {
    plugins: null,
    excludedMutations: EXCLUDED,
    ignorers: [],
  });
  return {
    mutants: mutants.filter(({ status }) => status !== 'Ignored'),
    texts: new Map(files.map(({ name, content }) => [join(ROOT, name), content])),
  };
}

/** A mutant as a line of a list: where it is, what was there, and what is there now. */
export async function described({
  fileName,
  location: { start, end },
  replacement,
  mutatorName,
}: Mutant): Promise<string> {
  const lines = (await readFile(join(ROOT, fileName), 'utf8')).split('\n').slice(start.line, end.line + 1);
  lines[lines.length - 1] = lines.at(-1)?.slice(0, end.column) ?? '';
  lines[0] = lines[0]?.slice(start.column) ?? '';
  const short = (text: string) => text.replace(/\s+/g, ' ').slice(0, 100);
  const at = `${fileName}:${start.line + 1}:${start.column + 1}`;
  return `${at}  ${mutatorName}  ${short(lines.join('\n'))}  →  ${short(replacement)}`;
}
