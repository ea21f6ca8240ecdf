/** A command of `telle`, run in this process: quick, for what needs neither a signal nor a terminal. */

import { run } from '../../src/cli/run.ts';
import { SOURCE_NAMES } from '../../src/cli/sources.ts';
import type { Ended } from './process.ts';

const VARIABLES = [...SOURCE_NAMES, 'TELLE_CONFIG', 'TELLE_TOKEN', 'NODE_ENV'];

type Env = Readonly<Record<string, string>>;

/** Has the environment hold these settings and no others. @returns what puts back those that it had */
function settled(env: Env): () => void {
  const names = new Set([...VARIABLES, ...Object.keys(env)]);
  const before = [...names].map((name) => [name, process.env[name]] as const);
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  for (const name of names) set(name, env[name]);
  return () => {
    for (const [name, value] of before) set(name, value);
  };
}

/** Takes the text that is written to a stream. The runner of the tests writes bytes: they go their way. */
function caught(stream: NodeJS.WriteStream): { text(): string; release(): void } {
  const write = stream.write;
  let text = '';
  stream.write = (chunk: string | Uint8Array, ...more: unknown[]): boolean => {
    if (typeof chunk !== 'string') return Reflect.apply(write, stream, [chunk, ...more]);
    text += chunk;
    return true;
  };
  return {
    text: () => text,
    release: () => {
      stream.write = write;
    },
  };
}

/** Runs a command to its end: one at a time. Its environment is what is given. */
export async function command(args: readonly string[], env: Env = {}): Promise<Ended> {
  const listeners = process.stdout.listeners('error');
  const { exitCode } = process;
  process.exitCode = undefined;
  const restore = settled(env);
  const [out, err] = [caught(process.stdout), caught(process.stderr)];
  try {
    await run(args);
    return { code: Number(process.exitCode ?? 0), stdout: out.text(), stderr: err.text() };
  } finally {
    out.release();
    err.release();
    restore();
    process.exitCode = exitCode;
    for (const listener of process.stdout.listeners('error').filter((each) => !listeners.includes(each))) {
      process.stdout.off('error', listener as () => void);
    }
  }
}
