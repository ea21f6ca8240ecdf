/** The npm package as users have it: packed, and installed into an empty project by one of the ways that there are. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { fetched } from '../support/fetched.ts';

const execute = promisify(execFile);

/** Runs a command to its end. @returns what it said; rejects, with all of that, where it fails */
export async function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<{ stdout: string; stderr: string }> {
  return execute(command, args, { maxBuffer: 2 ** 24, ...options }).catch((error) => {
    throw new Error(`${command} ${args.join(' ')} failed (${error.code}):\n${error.stdout}${error.stderr}`);
  });
}

/** Where a program of a package lies that is fetched for these tests. */
export const program = (name: string): string => join(fetched('package'), 'node_modules', '.bin', name);

/** A whole environment, in which `node` is the Node.js of this path. */
export const environmentOf = (node: string): Readonly<Record<string, string>> => ({
  HOME: homedir(),
  PATH: [dirname(node), process.env.PATH].join(delimiter),
});

/** The path of another Node.js than this one: npm has those of Linux. */
export const otherNode = (major: 20 | 22): string =>
  join(fetched('package'), 'node_modules', `node-${major}-linux-${process.arch}`, 'bin', 'node');

/** How a package is installed: by what, and by which Node.js. */
export interface Way {
  readonly command: readonly [program: string, ...args: string[]];
  readonly node: string;
}

/** What npm is told besides: to say only what is wrong. */
export const QUIET = ['--loglevel=warn', '--prefer-offline', '--no-audit', '--no-fund'];
export const NPM: Way = { command: ['npm', 'install', '--ignore-scripts=false', ...QUIET], node: process.execPath };

/** What npm says that the package holds, and where it is. */
interface Packed {
  readonly tarball: string;
  readonly files: readonly string[];
}

/** Packs what the build has made. */
async function pack(folder: string): Promise<Packed> {
  const { stdout } = await run('npm', ['pack', '--json', '--silent', '--pack-destination', folder]);
  const [{ filename, files }] = JSON.parse(stdout);
  return { tarball: join(folder, filename), files: files.map(({ path }: { path: string }) => path) };
}

/** A project in which the package is. */
export interface Installed extends Packed {
  readonly project: string;
  /** The path of its command. */
  readonly telle: string;
  /** The environment of its commands. */
  readonly env: Readonly<Record<string, string>>;
  /** What the installing said, of both streams. */
  readonly said: string;
  remove(): Promise<void>;
}

/** Packs it, and installs it into a project that is empty but for that. */
export async function install({ command: [manager, ...args], node }: Way): Promise<Installed> {
  const folder = await mkdtemp(join(tmpdir(), 'telle-package-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const packed = await pack(folder);
    const [project, env] = [join(folder, 'project'), environmentOf(node)];
    await mkdir(project);
    await writeFile(
      join(project, 'package.json'),
      JSON.stringify({ name: 'project', version: '1.0.0', private: true, type: 'module' }),
    );
    // How the registry is reached may be said by the environment of these tests: the managers have it, the commands do not.
    const options = { cwd: project, env: { ...process.env, ...env } };
    const { stdout, stderr } = await run(manager, [...args, packed.tarball], options);
    const telle = join(project, 'node_modules', '.bin', 'telle');
    return { ...packed, project, telle, env, said: stdout + stderr, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
