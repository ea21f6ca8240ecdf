/** Plan of a release: what it takes and what it does, without doing it: `build/release.ts` looks, asks here, and does it. */

/** State of a checkout, as far as a release asks. */
export interface Checkout {
  readonly version: string;
  /** null where HEAD is on none */
  readonly branch: string | null;
  /** Files that differ from the commit, or are not in it, as git lists them. */
  readonly changes: number;
  /** Where the version's tag is already; null where that cannot be asked. */
  readonly tagged: { readonly here: boolean; readonly origin: boolean | null };
  readonly section: Section | null;
  /** Today, as the changelog writes it. */
  readonly today: string;
  /** True where a container engine can be run. */
  readonly docker: boolean;
  /** True where npm can prove where a package comes from. */
  readonly provable: boolean;
}

export interface Section {
  readonly date: string | null;
  readonly notes: string;
}

/** A version's section of the changelog; null where it has none. */
export function sectionOf(changelog: string, version: string): Section | null {
  const section = changelog.split(/^## /m).find((each) => each.startsWith(`[${version}]`));
  if (section === undefined) return null;
  const [heading = '', ...lines] = section.split('\n');
  return { date: / - (\d{4}-\d{2}-\d{2})$/.exec(heading)?.[1] ?? null, notes: lines.join('\n').trim() };
}

/** The section as a text of its own, whose links hold anywhere. @param home where the repository is */
export function notesOf({ notes }: Section, version: string, home: string): string {
  const links = notes.replace(/\]\((?![a-z]+:|#)/g, `](${home}/blob/${tagOf(version)}/`);
  return `# Telle ${version}\n\n${links}\n`;
}

export const tagOf = (version: string): string => `v${version}`;

type Check = readonly [holds: (checkout: Checkout) => boolean, otherwise: (checkout: Checkout) => string];

/** Conditions that must hold, and what is said where one does not. */
const CHECKS: readonly Check[] = [
  [
    ({ changes }) => changes === 0,
    ({ changes }) => `git status shows ${changes} changes: commit them, or put them away`,
  ],
  [
    ({ branch }) => branch === 'main',
    ({ branch }) => `${branch ?? 'no branch'} is checked out: releases are made of main`,
  ],
  [
    ({ section }) => section !== null,
    ({ version }) => `CHANGELOG.md has no section of ${version}: write "## [${version}] - <date>"`,
  ],
  [
    ({ section }) => section === null || section.date !== null,
    ({ version, today }) =>
      `CHANGELOG.md says no date of ${version}: write "## [${version}] - ${today}", and commit it`,
  ],
  [
    ({ tagged }) => !tagged.here && tagged.origin !== true,
    ({ version }) =>
      `the tag ${tagOf(version)} is there already: raise the version with npm version --no-git-tag-version <version>`,
  ],
  [
    ({ tagged }) => tagged.origin !== null,
    () => 'origin does not say which tags it has: see what git ls-remote --tags origin says',
  ],
  [({ docker }) => docker, () => 'no container engine answers: docker info must work here'],
  [
    ({ provable }) => provable,
    () =>
      'npm cannot prove here where the package comes from: publish from a GitHub Actions job with id-token: write, or a GitLab CI job with SIGSTORE_ID_TOKEN',
  ],
];

/** Why this checkout cannot be published, each reason a sentence; none where it can. */
export const obstaclesOf = (checkout: Checkout): string[] =>
  CHECKS.flatMap(([holds, otherwise]) => (holds(checkout) ? [] : [otherwise(checkout)]));

export type Command = readonly [program: string, ...args: string[]];

/** Steps that publish it. One that can be taken back comes first, one that everybody sees last. */
export function publishing(version: string, revision: string, created: string, tarball: string): Command[] {
  const args = { VERSION: version, REVISION: revision, CREATED: created };
  const given = Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
  return [
    ['git', 'tag', '--annotate', tagOf(version), '--message', `Telle ${version}`],
    ['docker', 'build', ...given, '--tag', `telle:${version}`, '.'],
    ['npm', 'publish', `./${tarball}`, '--provenance', '--access', 'public'],
    ['git', 'push', 'origin', tagOf(version)],
  ];
}

/** A command as it is typed. */
export const typed = (command: Command): string =>
  command.map((word) => (/^[\w./:=@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');

/**
 * Runs commands one after the other, up to the first that fails.
 * @returns what failed and what was not begun; nothing where all is done
 */
export function carryOut(commands: readonly Command[], run: (command: Command) => boolean): readonly Command[] {
  const failed = commands.findIndex((command) => !run(command));
  return failed < 0 ? [] : commands.slice(failed);
}

export interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}
interface LockedPackage {
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  /** Of a link, which has no `dev` of its own: the place of what it leads to. */
  readonly link?: boolean;
  readonly resolved?: string;
  readonly devDependencies?: object;
}

/**
 * The lockfile without what only developing needs. npm's own `sbom --omit dev` leaves out whatever some tool depends on
 * as well, such as pg: what it is given must have nothing to omit.
 */
export function shipped<Whole extends Lock>(lock: Whole): Whole {
  const develops = ({ dev, devOptional, link, resolved = '' }: LockedPackage): boolean =>
    Boolean(dev || devOptional || (link && develops(lock.packages[resolved] ?? {})));
  const kept = Object.entries(lock.packages).filter(([, locked]) => !develops(locked));
  const packages = kept.map(([path, { devDependencies: _, ...locked }]) => [path, locked]);
  return { ...lock, packages: Object.fromEntries(packages) };
}

export interface Made {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** As `sha256sum --check` reads it. */
export const sumsOf = (files: readonly Made[]): string =>
  files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('');

export function tableOf(files: readonly Made[]): string {
  const rows = [['file', 'bytes', 'sha256'], ...files.map(({ name, bytes, sha256 }) => [name, String(bytes), sha256])];
  const wide = Math.max(...rows.map(([name = '']) => name.length));
  return rows
    .map(([name = '', bytes = '', sha256]) => `${name.padEnd(wide)}  ${bytes.padStart(10)}  ${sha256}`)
    .join('\n');
}
