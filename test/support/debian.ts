/** Programs, and a language's libraries, that tests run and npm does not have: from the PATH, else from Debian's packages, else from Homebrew. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

export interface Wanted {
  /** Where the package puts it, below the root; its last part is a program's name on the PATH. */
  readonly binary: string;
  /** Debian's packages that it is of, itself in the first; what they depend on is found by apt. */
  readonly packages: readonly [string, ...string[]];
  /** Its name at Homebrew. */
  readonly formula: string;
}

/** A program that is there, and the environment in which it finds its libraries. */
export interface Program {
  readonly path: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Runs a shell script to its end, with arguments as `$@`. Answers what it says, or null where it fails. */
function sh(script: string, args: readonly string[] = [], cwd = tmpdir()): string | null {
  try {
    return execFileSync('sh', ['-ec', script, 'sh', ...args], {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return null;
  }
}

/** Where it is: servers are in folders that not every PATH has. Answers null where it is in none. */
const pathOf = (name: string): string | null =>
  sh('PATH="$PATH:/usr/sbin:/sbin"; command -v "$1"', [name])?.trim() ?? null;
const isRoot = (): boolean => process.getuid?.() === 0;

/** Test files run side by side, and apt serves one at a time: whoever comes second finds the program installed. */
const INSTALL = `
  exec 9>"$1"; shift
  flock 9
  PATH="$PATH:/usr/sbin:/sbin"
  command -v "$1" || [ -e "/$2" ] || { shift 2; apt-get update -qq || true; apt-get install -y -qq --no-install-recommends "$@"; }
`;

/** The packages themselves, and those that apt would install with them here. */
const DOWNLOAD = `
  needed=$(apt-get install --simulate --no-install-recommends "$@" | sed -n 's/^Inst \\([^ ]*\\) .*/\\1/p')
  apt-get download -qq $(printf '%s\\n' "$@" $needed | sort -u)
  for package in *.deb; do dpkg -x "$package" .; done
`;

/** Unpacks packages without installing them, and keeps them for later runs. Answers where they are. */
function unpack({ binary, packages }: Wanted): string | null {
  const kept = join(tmpdir(), `telle-${packages[0]}-${process.getuid?.()}`);
  if (existsSync(join(kept, binary))) return kept;
  const folder = mkdtempSync(`${kept}-`);
  const isUnpacked = sh(DOWNLOAD, packages, folder) !== null && existsSync(join(folder, binary));
  // Another test file may have been quicker: then its folder is there, and as good.
  if (isUnpacked) sh('mv -T "$1" "$2"', [folder, kept]);
  rmSync(folder, { recursive: true, force: true });
  return isUnpacked ? kept : null;
}

/** Where the libraries of unpacked packages are, beside the machine's own. */
function librariesIn(root: string): string {
  const folders = ['usr/lib', 'lib'].map((folder) => join(root, folder)).filter((folder) => existsSync(folder));
  const ofMachine = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('-linux-gnu'))
      .map((name) => join(folder, name)),
  );
  return ofMachine.join(':');
}

function installed(binary: string): Program | null {
  const whole = join('/', binary);
  const path = pathOf(basename(binary)) ?? (existsSync(whole) ? whole : null);
  return path === null ? null : { path, env: process.env };
}

/** The ways to a program, in the order in which they are tried. */
const WAYS: readonly ((wanted: Wanted) => Program | null)[] = [
  ({ binary }) => installed(binary),
  ({ binary, packages }) => {
    if (!isRoot() || pathOf('apt-get') === null) return null;
    sh(INSTALL, [join(tmpdir(), 'telle-apt.lock'), basename(binary), binary, ...packages]);
    return installed(binary);
  },
  (wanted) => {
    const root = pathOf('apt-get') === null ? null : unpack(wanted);
    if (root === null) return null;
    return { path: join(root, wanted.binary), env: { ...process.env, LD_LIBRARY_PATH: librariesIn(root) } };
  },
  ({ binary, formula }) => {
    sh('brew install "$1"', [formula]);
    return installed(binary);
  },
];

/**
 * Finds a program, or gets it.
 * @throws with what to install, where none of the ways leads to it
 */
export function programOf(wanted: Wanted): Program {
  for (const way of WAYS) {
    const found = way(wanted);
    if (found) return found;
  }
  throw new Error(
    `no ${basename(wanted.binary)}: install it (apt-get install ${wanted.packages.join(' ')}, brew install ${wanted.formula})`,
  );
}
