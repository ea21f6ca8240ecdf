/**
 * Makes all that a release publishes, in `dist/release`: the npm package, this platform's executable and its licences, the bill
 * of materials, the release's notes and the checksums. It publishes them only where it is told to: `--publish`.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as plan from './release-plan.ts';
import { BuildError, ROOT, run, step } from './step.ts';

const FOLDER = 'dist/release';
const SUMS = 'SHA256SUMS';
const HELP = `npm run release -- --dry-run   makes all that a release publishes, in ${FOLDER}, and publishes nothing
npm run release -- --publish   makes it, tags the commit, builds the image, and publishes the package

--dry-run says what stands in the way of --publish; --publish refuses then, before it makes anything.
Exit codes: 0 done, 1 failed or refused, 2 asked wrongly. More: docs/releasing.md
`;

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const say = (text: string) => process.stdout.write(`${text}\n`);

/** @returns what it says; null where it fails */
function ask(program: string, ...args: string[]): string | null {
  const env = { ...process.env, GIT_TERMINAL_PROMPT: '0' };
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8', env, timeout: 30_000 });
  return status === 0 ? stdout.trim() : null;
}

/** Tells whether npm can have signed where a package comes from, as its documentation says. */
const provable = ({ GITHUB_ACTIONS, ACTIONS_ID_TOKEN_REQUEST_URL, GITLAB_CI, SIGSTORE_ID_TOKEN } = process.env) =>
  Boolean((GITHUB_ACTIONS && ACTIONS_ID_TOKEN_REQUEST_URL) || (GITLAB_CI && SIGSTORE_ID_TOKEN));

function look(version: string): plan.Checkout {
  const tag = `refs/tags/${plan.tagOf(version)}`;
  const origin = ask('git', 'ls-remote', 'origin', tag);
  return {
    version,
    branch: ask('git', 'symbolic-ref', '--short', '--quiet', 'HEAD'),
    changes: run('git', 'status', '--porcelain').split('\n').length - 1,
    tagged: {
      here: ask('git', 'rev-parse', '--verify', '--quiet', tag) !== null,
      origin: origin === null ? null : origin !== '',
    },
    section: plan.sectionOf(readFileSync('CHANGELOG.md', 'utf8'), version),
    today: new Date().toISOString().slice(0, 10),
    docker: ask('docker', 'info') !== null,
    provable: provable(),
  };
}

/** The bill of materials: CycloneDX, by npm, of what the lockfile ships. */
function billOf(name: string): string {
  const temporary = mkdtempSync(join(tmpdir(), 'telle-release-'));
  // npm calls what the bill is of by its folder's name.
  const folder = join(temporary, name);
  mkdirSync(folder);
  try {
    const { devDependencies: _, ...manifest } = readJson('package.json');
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(plan.shipped(readJson('package-lock.json'))));
    const format = ['--sbom-format', 'cyclonedx', '--sbom-type', 'application'];
    return run('npm', '--prefix', folder, 'sbom', '--package-lock-only', ...format);
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

/** Makes the files, and nothing but files. @returns them, with the checksums last */
function make(name: string, version: string, home: string, section: plan.Section | null): plan.Made[] {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const stem = join(FOLDER, `${name}-${version}`);
  run('npm', 'run', 'build');
  run('npm', 'pack', '--pack-destination', FOLDER);
  step('packed the npm package');
  run('npm', 'run', 'build:executable');
  const executable = `${stem}-${process.platform}-${process.arch}`;
  copyFileSync('dist/telle', executable);
  copyFileSync('dist/telle.licenses.txt', `${executable}.licenses.txt`);
  step('made the executable');
  writeFileSync(`${stem}.cdx.json`, billOf(name));
  step('listed what is in them');
  if (section) writeFileSync(`${stem}.notes.md`, plan.notesOf(section, version, home));
  const files = readdirSync(FOLDER).sort().map(measure);
  writeFileSync(join(FOLDER, SUMS), plan.sumsOf(files));
  return [...files, measure(SUMS)];
}

function measure(name: string): plan.Made {
  const path = join(FOLDER, name);
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  return { name, bytes: statSync(path).size, sha256 };
}

function publish(commands: readonly plan.Command[]): void {
  const left = plan.carryOut(commands, ([program, ...args]) => {
    step(plan.typed([program, ...args]));
    return spawnSync(program, args, { stdio: 'inherit' }).status === 0;
  });
  if (left.length === 0) return;
  throw new BuildError(
    `the first of these failed, and the others were not begun; mend it, then run them:\n${left.map(plan.typed).join('\n')}`,
  );
}

type Wish = 'help' | 'dry-run' | 'publish';

/** Reads what is asked for. @throws where that is none of these, or several */
function asked(): Wish {
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({ options: { 'dry-run': flag, publish: flag, help: { ...flag, short: 'h' } } });
  if (values.help) return 'help';
  if (values['dry-run'] === values.publish) {
    throw new Error('say either --dry-run or --publish; --help says what they do');
  }
  return values.publish ? 'publish' : 'dry-run';
}

function release(wish: 'dry-run' | 'publish'): void {
  const { name, version, homepage } = readJson('package.json');
  const revision = ask('git', 'rev-parse', 'HEAD');
  if (revision === null)
    throw new BuildError('a release is made of a git checkout with a commit: clone the repository');
  const checkout = look(version);
  const obstacles = plan.obstaclesOf(checkout).map((each) => `  ✗ ${each}`);
  if (wish === 'publish' && obstacles.length > 0)
    throw new BuildError(`${version} cannot be published:\n${obstacles.join('\n')}`);
  const home = new URL(homepage);
  const files = make(name, version, home.origin + home.pathname, checkout.section);
  say(`\n${FOLDER}, of commit ${revision}:\n\n${plan.tableOf(files)}\n`);
  const commands = plan.publishing(version, revision, new Date().toISOString(), `${FOLDER}/${name}-${version}.tgz`);
  if (wish === 'publish') publish(commands);
  else foretell(commands, obstacles);
}

function foretell(commands: readonly plan.Command[], obstacles: readonly string[]): void {
  say(`--publish would run:\n\n${commands.map((each) => `  ${plan.typed(each)}`).join('\n')}\n`);
  say(obstacles.length > 0 ? `--publish would refuse now:\n\n${obstacles.join('\n')}\n` : 'Nothing stands in its way.');
  say('This was a dry run: nothing was tagged or published.');
}

process.chdir(ROOT);
let wish: Wish | undefined;
try {
  wish = asked();
} catch (error) {
  process.stderr.write(`release: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 2;
}
if (wish === 'help') process.stdout.write(HELP);
else if (wish) release(wish);
