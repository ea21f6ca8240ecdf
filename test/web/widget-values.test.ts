/** What the widget makes of texts, by plain values. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { lengthOf } from '../../src/web/text/length.ts';
import { partsOf } from '../../src/web/text/links.ts';
import { told } from '../../src/web/widget/address.ts';
import { isEmail, isPhone } from '../../src/web/widget/contact.ts';
import { vehicleIn } from '../../src/web/widget/vehicle.ts';
import { directionOf, LANGUAGES } from '../../src/web/widget/words.ts';
import { HOSTILE } from '../support/hostile.ts';

const links = (text: string) => partsOf(text).flatMap(({ text, href }) => (href === undefined ? [] : [[text, href]]));

describe('links', () => {
  const cases: readonly [string, ...[string, string][]][] = [
    ['http://cars.example/a_(b).', ['http://cars.example/a_(b)', 'http://cars.example/a_(b)']],
    ['see cars.example, please', ['cars.example', 'http://cars.example']],
    ['ann@cars.example,', ['ann@cars.example', 'mailto:ann@cars.example']],
    ['+1 (555) 010-0100', ['+1 (555) 010-0100', 'tel:+15550100100']],
    ['+49 (0)30 123456', ['+49 (0)30 123456', 'tel:+4930123456']],
    ['call 555-0100 or (030) 123456.', ['555-0100', 'tel:5550100'], ['(030) 123456', 'tel:030123456']],
    ['http://bücher.example/ä', ['http://bücher.example/ä', 'http://bücher.example/ä']],
    ['javascript:alert(1)'],
    ['javascript:http://cars.example/ data:text/html,http://x.example'],
    ['vbscript:x file:///etc/passwd ftp://x.example/y //cars.example/x'],
    ['http://cars.example@evil.example/'],
    ['on 2026-12-24 it costs 12 500 000 or 38,700'],
    ['24.12.2026, 10:30-18:00, 2024 2025 2026, 192.168.0.1'],
    ['VIN 1HGCM82633A004352, file.pdf, e.g.this'],
  ];
  for (const [text, ...expected] of cases) test(text, () => assert.deepEqual(links(text), expected));

  test('what is divided is the same text, and leads nowhere else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom(...HOSTILE)), (text) => {
        const parts = partsOf(text);
        assert.equal(parts.map((part) => part.text).join(''), text);
        for (const { href } of parts) if (href !== undefined) assert.match(href, /^(?:https?:\/\/|mailto:|tel:\+?\d)/);
      }),
    );
  });
});

test('a phone number is refused only where it could be nobody’s', () => {
  for (const good of [
    '4023',
    '555-0100',
    '+1 (555) 010-0100 ext. 7',
    '1-800-FLOWERS',
    '13 CATS',
    '٠١٢٣٤٥',
    '030/12 34 56 (office)',
  ]) {
    assert.equal(isPhone(good), true, good);
  }
  for (const bad of ['', '12', 'asdf', '+', '( )', '1-2-3']) assert.equal(isPhone(bad), false, bad);
});

test('an e-mail address is refused only where it could be nobody’s', () => {
  for (const good of [
    'a@b',
    'ann@cars.example',
    'ann+x@cars.example',
    '"a b"@cars.example'.replace(' ', ''),
    '用户@例子.测试',
    ' a@b.c ',
  ]) {
    assert.equal(isEmail(good), true, good);
  }
  for (const bad of ['ann', 'ann@', '@cars.example', 'ann @cars.example', 'ann@cars.', 'ann@.'])
    assert.equal(isEmail(bad), false, bad);
});

test('a vehicle is known by its VIN, or by its year and the rest', () => {
  assert.deepEqual(vehicleIn('the 1hgcm82633a004352'), { vin: '1HGCM82633A004352' });
  assert.deepEqual(vehicleIn('2024  Blue SUV'), { year: '2024', model: 'Blue SUV' });
  assert.deepEqual(vehicleIn('Blue SUV'), { model: 'Blue SUV' });
  assert.equal(vehicleIn('  '), undefined);
});

test('a message’s length is that of its code points', () => {
  assert.deepEqual([lengthOf('🚗'.repeat(2500)), lengthOf('x'.repeat(4038)), lengthOf('')], [2500, 4038, 0]);
});

test('an address is told without what is secret in it', () => {
  const of = (url: string, hasHash = true) => told({ url, title: '', referrer: '' }, hasHash).url;
  for (const [url, expected] of [
    ['https://cars.example/a?utm_source=x&zipcode=1', 'https://cars.example/a?utm_source=x&zipcode=1'],
    ['https://cars.example/a?access_token=x', 'https://cars.example/a'],
    ['https://cars.example/a?b=1&sessionId=x&reset-token=y&apiKey=z&%70assword=q', 'https://cars.example/a?b=1'],
    ['https://cars.example/#/cars/7?code=x&sort=price', 'https://cars.example/#/cars/7?sort=price'],
    ['https://cars.example/#access_token=x', 'https://cars.example/'],
    ['https://cars.example/#price', 'https://cars.example/'],
  ] as const) {
    assert.equal(of(url), expected);
  }
  assert.equal(of('https://cars.example/#/cars/7', false), 'https://cars.example/');
});

test('each language has every word, with the same gaps', async () => {
  const folder = 'src/web/widget/words';
  const names = (await readdir(folder)).sort();
  assert.deepEqual(
    names,
    ['en', ...LANGUAGES].sort().map((each) => `${each}.json`),
  );
  const read = async (name: string): Promise<Record<string, string>> =>
    JSON.parse(await readFile(`${folder}/${name}`, 'utf8'));
  const english = await read('en.json');
  const gaps = (word = '') => [...word.matchAll(/\{\w+\}/g)].map(String).sort();
  for (const name of names) {
    const words = await read(name);
    assert.deepEqual(Object.keys(words).sort(), Object.keys(english).sort(), name);
    for (const [key, word] of Object.entries(words)) {
      assert.notEqual(word.trim(), '', `${name} ${key}`);
      assert.deepEqual(gaps(word), gaps(english[key]), `${name} ${key}`);
    }
  }
});

test('a language’s direction is known, though it be none of ours', () => {
  const all = ['ar', 'he-IL', 'fa', 'ur-PK', 'en', 'ja', 'arn'].map(directionOf);
  assert.deepEqual(all, ['rtl', 'rtl', 'rtl', 'rtl', 'ltr', 'ltr', 'ltr']);
});
