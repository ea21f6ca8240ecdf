/** The licences of what is inside a bundle: whoever hands it on must hand them on too. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where an installation of Node.js keeps its licence, seen from its binary. */
const NODE_LICENSES = ['../LICENSE', '../share/doc/node/LICENSE', '../share/doc/nodejs/LICENSE'];

/** @param inputs paths of the files that were bundled @returns one text, package by package */
export function licensesOf(inputs: readonly string[]): string {
  const folders = inputs.flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  const packages = [...new Set(folders)].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((each) => /^(licen[cs]e|copying)/i.test(each));
    return section(`${name} ${version} (${license})`, file && join(folder, file));
  });
  return [section('telle', 'LICENSE'), ...packages].join('\n');
}

/** The licence of the Node.js that runs this. */
export function licenseOfNode(): string {
  const places = NODE_LICENSES.map((place) => join(dirname(process.execPath), place));
  return section(
    `Node.js ${process.versions.node}: https://github.com/nodejs/node/blob/${process.version}/LICENSE`,
    places.find((path) => existsSync(path)),
  );
}

const section = (title: string, file: string | undefined): string =>
  `${'='.repeat(80)}\n${title}\n${'='.repeat(80)}\n\n${file ? readFileSync(file, 'utf8').trim() : ''}\n`;
