/** Texts of the desk, in each of its languages. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { en } from '../../src/web/desk/languages/en.ts';
import { LANGUAGES } from '../../src/web/desk/languages/languages.ts';
import { parts, spoken, text } from '../../src/web/desk/texts.ts';
import { dayOf, whenOf } from '../../src/web/desk/words.ts';

/** The names of what is put in. */
const placesIn = (given: string) => [...given.matchAll(/\{\w+\}/g)].map(String).sort();
const formsOf = (given: string | { one: string; other: string }) =>
  typeof given === 'string' ? [given] : [given.one, given.other];

describe('the texts of the desk', () => {
  for (const [language, texts] of LANGUAGES) {
    for (const [name, english] of Object.entries(en)) {
      it(`in ${language} have what is put into "${name}"`, () => {
        const [, given] = Object.entries(texts).find(([each]) => each === name) ?? [];
        assert.ok(given);
        const wanted = placesIn(formsOf(english)[0] ?? '');
        for (const form of formsOf(given)) {
          assert.deepEqual(placesIn(form), wanted);
          assert.notEqual(form.trim(), '');
        }
      });
    }
  }

  it('are those of the first language that is spoken here, as its region writes dates', () => {
    const wishes = [['es-MX', 'en'], ['fr', 'ES'], ['fr', 'zh'], []];
    assert.deepEqual(wishes.map(spoken), ['es-MX', 'ES', 'en', 'en']);
  });

  it('choose the form by what is counted, and put in what is no text, too', () => {
    assert.equal(text('in closed', { count: 1 }), '1 more in closed');
    assert.equal(text('too long', { count: 2 }), '2 characters too long');
    const who = { name: 'Bob' };
    assert.deepEqual(parts('here too', { who }, 1), ['', who, ' is here too.']);
    assert.deepEqual(parts('here too', { who }, 2), ['', who, ' are here too.']);
  });
});

describe('a date at the desk', () => {
  const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);
  it('has its year where that is another', () => {
    const long = daysAgo(400);
    for (const written of [whenOf(long.toISOString()), dayOf(long.toISOString())]) {
      assert.match(written, new RegExp(String(long.getFullYear())));
    }
    const today = daysAgo(0);
    for (const written of [whenOf(today.toISOString()), dayOf(today.toISOString())]) {
      assert.doesNotMatch(written, new RegExp(String(today.getFullYear())));
    }
  });
});
