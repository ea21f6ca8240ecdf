import { readFileSync } from 'node:fs';

/** The package's version. Its file is two folders up in the source, three in the build. */
function read(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
      if (name === 'telle') return version;
    } catch {
      // not this one
    }
  }
  throw new Error('package.json is not where it should be');
}

export const version = read();
