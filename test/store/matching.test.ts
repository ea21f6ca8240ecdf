/** [P-17.1] Meaning of a search. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { matcherOf } from '../../src/store/matching.ts';

describe('[P-17.1] a search in a text', () => {
  for (const [search, text, isFound] of [
    ['Jose Munoz', 'José Muñoz', true],
    ['MUÑOZ', 'jose munoz', true],
    ['muno', 'José Muñoz', true],
    ['unoz', 'José Muñoz', false],
    ['munoz jose', 'José Muñoz', true],
    ['jose maria', 'José Muñoz', false],
    ["O'Connor", 'Pat O’Connor', true],
    ['O’Connor', "Pat O'Connor", true],
    ['oconnor', 'Pat O’Connor', true],
    ['connor', 'Pat O’Connor', true],
    ['auto', 'l’auto rouge', true],
    ['straße', 'STRASSE', false],
    ['ann@cars', 'write to ann@cars.example', true],
    ['京', '我在東京', true],
    ['5', 'model 5', true],
    ['?!', 'what?!', false],
    ['', 'anything', false],
  ] as const) {
    it(`for ${JSON.stringify(search)} ${isFound ? 'finds' : 'does not find'} ${JSON.stringify(text)}`, () =>
      assert.equal(matcherOf(search).inText(text) !== null, isFound));
  }

  it('shows the part in which it was found, and breaks no character', () => {
    const text = `${'😀'.repeat(100)} convertible ${'x'.repeat(300)}`;
    const snippet = matcherOf('convert').inText(text) ?? '';
    assert.match(snippet, /^…😀+ convertible x+…$/u);
    assert.ok(snippet.isWellFormed());
    assert.equal(matcherOf('short').inText('a short one'), 'a short one');
  });
});

describe('[P-17.1] a search for a phone number', () => {
  for (const [search, isFound] of [
    ['5550100199', true],
    ['+1 (555) 010-0199', true],
    ['(555) 010 0199', true],
    ['0555.010.0199', true],
    ['0199', true],
    ['199', false],
    ['555 010 0198', false],
    ['5550100199x', false],
  ] as const) {
    it(`by ${search} ${isFound ? 'finds it' : 'does not'}`, () =>
      assert.equal(matcherOf(search).isPhone('+1 555-010-0199'), isFound));
  }
});

describe('[P-17.1] a search for a VIN', () => {
  it('finds it whole alone', () => {
    const isVin = (search: string) => matcherOf(search).isExactly('1HGCM82633A004352');
    assert.deepEqual([' 1hgcm82633a004352 ', '1HGCM82633A00435', ''].map(isVin), [true, false, false]);
  });
});
