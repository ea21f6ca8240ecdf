/** Makes what browsers are served, in `dist/web`: each page's script and style, bundled, and the page itself as it is. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Plugin, transform } from 'esbuild';
import { ROOT, step } from './step.ts';

/** Bundles that are made, by their names without an extension, and their sources. */
const ENTRIES = [
  { in: 'src/web/widget/index.tsx', out: 'widget' },
  { in: 'src/web/desk/desk.html', out: 'desk' },
  { in: 'src/web/desk/desk.css', out: 'desk' },
  { in: 'src/web/desk/index.tsx', out: 'desk' },
  { in: 'src/web/desk/worker.ts', out: 'desk-worker' },
  { in: 'src/web/home/welcome.html', out: 'welcome' },
  { in: 'src/web/home/welcome.css', out: 'welcome' },
  { in: 'src/web/home/index.ts', out: 'welcome' },
  { in: 'src/client/global.ts', out: 'telle' },
];
/** What a script loads by itself, as a module. */
const MODULES = [{ in: 'src/web/widget/more.ts', out: 'widget-more' }];
/** Words of the widget, a file a language. */
const WORDS = 'src/web/widget/words';

/** `import text from './x.css' with { type: 'text' }`: a style that a script puts where it belongs, as for a shadow root. */
const stylesAsText: Plugin = {
  name: 'styles as text',
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path, with: how }) => {
      if (how.type !== 'text') return null;
      const { code } = await transform(await readFile(path, 'utf8'), { loader: 'css', minify: true });
      return { contents: code.trim(), loader: 'text' };
    });
  },
};

/** What is loaded later has no Preact of its own: hooks work with one alone. */
const givenPreact: Plugin = {
  name: 'given Preact',
  setup({ onResolve }) {
    const path = join(ROOT, 'src/web/widget/preact-given.ts');
    onResolve({ filter: /^preact(\/|$)/ }, () => ({ path }));
  },
};

/** A file that was made, and how many bytes of it are sent. */
interface Built {
  readonly name: string;
  readonly bytes: number;
}

/**
 * Bundles everything into a folder. Each file is there whole or not at all, for several builds may run at once.
 * @returns what was made, and the paths of what is in it
 */
export async function buildWeb(folder: string): Promise<{ built: Built[]; inputs: string[] }> {
  const how = {
    absWorkingDir: ROOT,
    metafile: true,
    outdir: folder,
    write: false,
    bundle: true,
    minify: true,
    charset: 'utf8',
    target: 'es2022', // as the client's own bundles
    jsx: 'automatic',
    jsxImportSource: 'preact',
    loader: { '.html': 'copy' },
    legalComments: 'none',
    logLevel: 'warning',
  } as const;
  const results = await Promise.all([
    build({ ...how, entryPoints: ENTRIES, format: 'iife', plugins: [stylesAsText] }),
    build({ ...how, entryPoints: MODULES, format: 'esm', plugins: [stylesAsText, givenPreact] }),
  ]);
  const made = [...results.flatMap(({ outputFiles }) => outputFiles), ...(await words(folder))];
  const built = await Promise.all(
    made.map(async ({ path, contents }) => {
      await mkdir(dirname(path), { recursive: true });
      const draft = `${path}.${randomUUID()}`;
      await writeFile(draft, contents);
      await rename(draft, path);
      return { name: basename(path), bytes: gzipSync(contents, { level: 9 }).length };
    }),
  );
  return { built, inputs: results.flatMap(({ metafile }) => Object.keys(metafile.inputs)) };
}

/** The widget's words in each language but its own. */
async function words(folder: string): Promise<{ path: string; contents: Uint8Array }[]> {
  const names = (await readdir(join(ROOT, WORDS))).filter((name) => name !== 'en.json');
  return Promise.all(
    names.map(async (name) => {
      const said: unknown = JSON.parse(await readFile(join(ROOT, WORDS, name), 'utf8'));
      return { path: join(folder, `widget.${name}`), contents: Buffer.from(JSON.stringify(said)) };
    }),
  );
}

/** Builds `dist/web`, and says how large what is sent of it is. @returns the paths of what is in it */
export async function makeWeb(): Promise<string[]> {
  const { built, inputs } = await buildWeb(join(ROOT, 'dist/web'));
  for (const { name, bytes } of built) step(`bundled ${name}: ${(bytes / 1024).toFixed(1)} KiB to send (gzip)`);
  return inputs;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await makeWeb();
