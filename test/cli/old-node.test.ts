/** A Node.js that is too old is told so in a sentence, before it meets anything that it cannot read. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { transform } from 'esbuild';
import { telle } from '../support/process.ts';
import { inFolder } from '../support/server.ts';

const source = await readFile(new URL('../../src/main.ts', import.meta.url), 'utf8');
const { engines } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));

/** What the build makes of the file that looks: types are taken out, and nothing is made older than it is. */
async function compiled(target: string): Promise<string> {
  const tsconfigRaw = { compilerOptions: { verbatimModuleSyntax: true } } as const;
  const { code } = await transform(source, { loader: 'ts', format: 'esm', target, tsconfigRaw });
  return code.replace('./program.ts', './program.js');
}

/** Runs it where it lies in the package, beside a program that no Node.js can read, or one that says that it runs. */
async function runIn(folder: string, node: string, program: string) {
  const place = join(folder, 'dist', 'src');
  await mkdir(place, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', engines: { node } }));
  await writeFile(join(place, 'main.js'), await compiled('esnext'));
  await writeFile(join(place, 'program.js'), program);
  return telle(['--version'], { cwd: folder }, [process.execPath, join(place, 'main.js')]);
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

describe('telle on another Node.js', { timeout: 60_000 }, () => {
  for (const needed of [`${major + 1}`, `${major + 1}.0`, `${major}.${minor + 1}`]) {
    it(`ends with 1 and a sentence where ${needed} is needed, and loads nothing of the program`, () =>
      inFolder(async (folder) => {
        assert.deepEqual(await runIn(folder, `>=${needed}`, 'this is no program'), {
          code: 1,
          stdout: '',
          stderr: `telle: Node.js ${needed} or later is needed, and this is ${process.versions.node}\n`,
        });
      }));
  }

  for (const needed of [`${major}`, `${major}.${minor}`, `${major - 1}.999`]) {
    it(`runs where ${needed} is needed`, () =>
      inFolder(async (folder) => {
        const { code, stdout } = await runIn(folder, `>=${needed}`, "console.log('it runs');");
        assert.deepEqual({ code, stdout }, { code: 0, stdout: 'it runs\n' });
      }));
  }

  it('has in the file that looks nothing that is newer than Node.js 12', async () => {
    assert.equal(await compiled('node12.20'), await compiled('esnext'));
    assert.deepEqual(source.match(/^import .*$/gm), ["import { existsSync, readFileSync } from 'fs';"]);
  });

  it('is told what the package says, which is one oldest version', () => {
    assert.match(engines.node, /^>=\d+(\.\d+)?$/);
  });
});
