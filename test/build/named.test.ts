/** What says which Telle it is, apart from package.json: all of it says the same. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

const read = (path: string) => readFileSync(path, 'utf8');
const { version, homepage, repository, bugs, keywords } = JSON.parse(read('package.json'));

describe('what names this Telle', () => {
  it('has the same version wherever one is written', () => {
    const lock = JSON.parse(read('package-lock.json'));
    assert.deepEqual([lock.version, lock.packages[''].version], [version, version]);
    assert.deepEqual(read('compose.yaml').match(/image: telle:.*/g), [`image: telle:${version}`]);
    assert.match(read('CHANGELOG.md'), new RegExp(`^## \\[${version.replaceAll('.', '\\.')}\\] - `, 'm'));
  });

  it('names one home, and how it is found', () => {
    const home = homepage.replace(/#.*$/, '');
    assert.deepEqual(repository, { type: 'git', url: `git+${home}.git` });
    assert.deepEqual(bugs, { url: `${home}/issues` });
    assert.ok(keywords.length > 3);
  });
});
