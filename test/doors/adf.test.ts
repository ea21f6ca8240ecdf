/** Leads as ADF 1.0: what a dealer's CRM reads, in documents that a validating parser takes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fields } from '../../schemas/records.ts';
import { adfOf as adf, type Prospect } from '../../src/doors/http/adf.ts';
import { type Leaf, readAdf, validateAdf } from '../support/adf.ts';

const DEALER = { dealerId: 'd1', name: 'Demo Motors', email: 'sales@demo.example', phone: '030 1' };
const GOLF = { year: 2024, make: 'VW', model: 'Golf' };
const FIAT = { year: '1999', make: 'Fiat', model: 'Punto' };
const ANN = { name: 'Ann Lee', email: 'ann@x.example' };

const prospect = (more: Partial<Prospect> = {}): Prospect => ({
  groupId: 'g1',
  user: null,
  lead: { ...ANN, vehicle: GOLF },
  intents: [],
  viewed: null,
  requestedAt: Date.UTC(2026, 10, 20, 13, 21, 27, 344),
  ...more,
});
const intent = (word: string, fields: Fields = {}) => ({ intent: word, fields: { intent: word, ...fields } });

/** The document alone, where there is one. */
const adfOf = async (...of: Parameters<typeof adf>): Promise<string> =>
  (await adf(...of)).made ?? assert.fail('no prospect');

/** The one prospect of a document, as it is read. */
async function read(more: Partial<Prospect> = {}): Promise<Leaf[]> {
  const [leaves = assert.fail('no prospect')] = readAdf(await adfOf(DEALER, [prospect(more)]));
  return leaves;
}

/** The texts of all elements or attributes at a path. */
const at = (leaves: readonly Leaf[], path: string) =>
  leaves.filter((leaf) => leaf.path === path).map(({ text }) => text);

const commentsOf = (leaves: readonly Leaf[]) => at(leaves, 'customer/comments').flatMap((text) => text.split('\n'));

describe('the DTD that documents are held against', async () => {
  const xml = await adfOf(DEALER, [prospect({ lead: { ...ANN, phone: '1', vehicle: GOLF } })]);

  it('takes a document that is right', () => {
    assert.deepEqual(validateAdf(xml).errors, '');
  });

  for (const [what, wrong] of [
    ['a phone before the email', xml.replace(/(<email>ann.*<\/email>)\s*(<phone>1<\/phone>)/, '$2$1')],
    ['a vehicle without a year', xml.replace('<year>2024</year>', '')],
    ['an element that it does not know', xml.replace('<make>', '<colour>red</colour><make>')],
    ['an interest that it does not know', xml.replace('interest="buy"', 'interest="finance"')],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.notEqual(wrong, xml);
      assert.equal(validateAdf(wrong).isValid, false);
    });
  }
});

describe('a lead as ADF', () => {
  it('is a document that says what it is', async () => {
    const beginning = '<?xml version="1.0" encoding="UTF-8"?>\n<?adf version="1.0"?>\n<adf>';
    assert.ok((await adfOf(DEALER, [prospect()])).startsWith(beginning));
  });

  it('has each of its parts in its element, in the DTD’s order', async () => {
    const leaves = await read({
      user: { name: 'Ann', phone: '0171 1', locale: 'de' },
      lead: {
        ...ANN,
        externalId: 'crm-7',
        source: 'web',
        comments: 'With a tow bar?',
        vehicle: { trim: 'GTI', condition: 'new', stock: 'S1', vin: 'V1', ...GOLF, color: 'blue' },
      },
      intents: [intent('lease', { status: 'open', months: 36 }), intent('trade_in', { vehicle: FIAT })],
    });
    assert.deepEqual(
      leaves.map(({ path, text }) => `${path}=${text}`),
      [
        '@status=new',
        'id@source=telle',
        'id=g1',
        'id@source=external',
        'id=crm-7',
        'requestdate=2026-11-20T13:21:27.344Z',
        'vehicle@interest=lease',
        'vehicle@status=new',
        'vehicle/year=2024',
        'vehicle/make=VW',
        'vehicle/model=Golf',
        'vehicle/vin=V1',
        'vehicle/stock=S1',
        'vehicle/trim=GTI',
        'vehicle/comments=color: blue\nlease status: open\nlease months: 36',
        'vehicle@interest=trade-in',
        'vehicle@status=used',
        'vehicle/year=1999',
        'vehicle/make=Fiat',
        'vehicle/model=Punto',
        'customer/contact/name@part=full',
        'customer/contact/name@type=individual',
        'customer/contact/name=Ann Lee',
        'customer/contact/email=ann@x.example',
        'customer/contact/phone=0171 1',
        'customer/comments=source: web\ncomments: With a tow bar?\nuser name: Ann\nuser locale: de',
        'vendor/vendorname=Demo Motors',
        'vendor/contact/name@part=full',
        'vendor/contact/name@type=business',
        'vendor/contact/name=Demo Motors',
        'vendor/contact/email=sales@demo.example',
        'vendor/contact/phone=030 1',
        'provider/name@part=full',
        'provider/name@type=business',
        'provider/name=Telle',
      ],
    );
  });

  it('is one prospect of many in one document', async () => {
    const groups = ['g1', 'g2', 'g3'];
    const prospects = readAdf(
      await adfOf(
        DEALER,
        groups.map((groupId) => prospect({ groupId })),
      ),
    );
    assert.deepEqual(
      prospects.flatMap((leaves) => at(leaves, 'id')),
      groups,
    );
  });
});

describe('the customer of a lead', () => {
  const EMAIL = { email: 'a@x' };
  for (const [lead, user, names] of [
    [{ firstName: 'Ann', lastName: 'Lee' }, null, ['first=Ann', 'last=Lee']],
    [{ firstName: 'Ann', lastName: 'Lee', name: 'Dr. Lee' }, null, ['first=Ann', 'last=Lee']],
    [{ firstName: 'Ann', name: 'Ann Lee' }, null, ['full=Ann Lee']],
    [{ firstName: 'Ann' }, null, ['first=Ann']],
    [{ lastName: 'Lee' }, null, ['last=Lee']],
    [{ firstName: 'Ann' }, { lastName: 'Lee' }, ['first=Ann', 'last=Lee']],
    [{ name: 'Bob' }, { firstName: 'Ann', lastName: 'Lee' }, ['full=Bob']],
    [{ name: ' \n' }, { name: ' Ann\n Lee ' }, ['full=Ann Lee']],
  ] as const) {
    it(`is named ${names.join(', ')} where the lead says ${JSON.stringify(lead)}, the user ${JSON.stringify(user)}`, async () => {
      const leaves = await read({ lead: { ...lead, ...EMAIL, vehicle: GOLF }, user });
      const parts = at(leaves, 'customer/contact/name@part');
      const texts = at(leaves, 'customer/contact/name');
      assert.deepEqual(
        parts.map((part, index) => `${part}=${texts[index]}`),
        names,
      );
    });
  }

  it('is the lead’s before the user’s, field by field, and nothing of either is lost', async () => {
    const leaves = await read({
      lead: { name: 'Ann Lee', email: 'new@x', vehicle: GOLF },
      user: { name: 'Ann Lee', email: 'old@x', phone: '1', externalId: 'u1' },
    });
    assert.deepEqual(at(leaves, 'customer/contact/email'), ['new@x']);
    assert.deepEqual(at(leaves, 'customer/contact/phone'), ['1']);
    assert.deepEqual(at(leaves, 'id'), ['g1', 'u1']);
    assert.deepEqual(commentsOf(leaves), ['user email: old@x']);
  });

  it('may be known from the user alone', async () => {
    const leaves = await read({ lead: null, user: ANN, intents: [intent('buy', { vehicle: GOLF })] });
    assert.deepEqual(at(leaves, 'customer/contact/name'), ['Ann Lee']);
  });
});

describe('the vehicles of a lead', () => {
  const years = (leaves: readonly Leaf[]) => at(leaves, 'vehicle/year');
  const interests = (leaves: readonly Leaf[]) => at(leaves, 'vehicle@interest');

  for (const [words, interest] of [
    [[], 'buy'],
    [['buy'], 'buy'],
    [['lease'], 'lease'],
    [['test_drive'], 'test-drive'],
    [['lease', 'buy'], 'lease'],
    [['finance', 'lease'], 'lease'],
    [['finance'], 'buy'],
  ] as const) {
    it(`is of interest to ${interest} where the intents are ${words.join(', ') || 'none'}`, async () => {
      assert.deepEqual(interests(await read({ intents: words.map((word) => intent(word)) })), [interest]);
    });
  }

  it('has every intent in its comments, but what its interest says', async () => {
    const leaves = await read({ intents: [intent('lease'), intent('buy', { status: 'lost' })] });
    assert.deepEqual(at(leaves, 'vehicle/comments'), ['intent: buy\nbuy status: lost']);
  });

  for (const [condition, status, comments] of [
    ['new', ['new'], []],
    ['Used', ['used'], []],
    ['certified', [], ['condition: certified']],
    [undefined, [], []],
  ] as const) {
    it(`has the status ${status} where its condition is ${condition}`, async () => {
      const leaves = await read({ lead: { ...ANN, vehicle: { ...GOLF, ...(condition && { condition }) } } });
      assert.deepEqual([at(leaves, 'vehicle@status'), at(leaves, 'vehicle/comments')], [status, comments]);
    });
  }

  it('is followed by the vehicle of an intent, where that is another one', async () => {
    const leaves = await read({ intents: [intent('lease'), intent('test_drive', { vehicle: FIAT })] });
    assert.deepEqual(years(leaves), ['2024', '1999']);
    assert.deepEqual(interests(leaves), ['lease', 'test-drive']);
  });

  for (const [what, own, other, count] of [
    ['no field contradicts', GOLF, { make: 'vw', trim: 'GTI' }, 1],
    ['another model year contradicts', GOLF, { ...GOLF, year: 2023 }, 2],
    ['the VIN is the same', { ...GOLF, vin: 'v1' }, { ...GOLF, make: 'Volkswagen', vin: 'V1' }, 1],
    ['the VIN is another', { ...GOLF, vin: 'V1' }, { ...GOLF, vin: 'V2' }, 2],
    ['the stock number is the same', { ...GOLF, stock: 'S1' }, { ...FIAT, stock: 'S1' }, 1],
    ['the stock number is another', { ...GOLF, stock: 'S1' }, { ...GOLF, stock: 'S2' }, 2],
  ] as const) {
    it(`${count === 1 ? 'is the intent’s too' : 'is not the intent’s'} where ${what}`, async () => {
      const leaves = await read({ lead: { ...ANN, vehicle: own }, intents: [intent('buy', { vehicle: other })] });
      assert.equal(years(leaves).length, count);
    });
  }

  it('has what is missing from the record of the intent', async () => {
    const leaves = await read({
      lead: { ...ANN, vehicle: { make: 'VW' } },
      intents: [intent('buy', { vehicle: GOLF })],
    });
    assert.deepEqual([years(leaves), at(leaves, 'vehicle/model')], [['2024'], ['Golf']]);
  });

  it('is once there where two intents are about it', async () => {
    const both = [intent('test_drive', { vehicle: FIAT }), intent('buy', { vehicle: FIAT })];
    const leaves = await read({ intents: both });
    assert.deepEqual(
      [years(leaves), interests(leaves)],
      [
        ['2024', '1999'],
        ['buy', 'test-drive'],
      ],
    );
    assert.deepEqual(at(leaves, 'vehicle/comments'), ['intent: buy']);
  });

  it('ends with the one that is traded in, used, whatever is said of it', async () => {
    const traded = intent('trade_in', { vehicle: { ...GOLF, condition: 'new', km: 90_000 }, notes: 'a dent' });
    const leaves = await read({ intents: [traded, intent('lease', { vehicle: FIAT })] });
    assert.deepEqual(interests(leaves), ['buy', 'lease', 'trade-in']);
    assert.deepEqual(at(leaves, 'vehicle@status'), ['used']);
    const lines = 'trade_in notes: a dent\ntrade_in vehicle condition: new\ntrade_in vehicle km: 90000';
    assert.deepEqual(at(leaves, 'vehicle/comments'), [lines]);
  });

  it('may be one that is traded in alone', async () => {
    assert.deepEqual(interests(await read({ lead: ANN, intents: [intent('trade_in', { vehicle: FIAT })] })), [
      'trade-in',
    ]);
  });

  it('are in comments where they are incomplete, and not the first', async () => {
    const leaves = await read({
      intents: [intent('trade_in', { vehicle: { make: 'Fiat' } }), intent('lease', { vehicle: { make: 'Seat' } })],
    });
    assert.deepEqual(years(leaves), ['2024']);
    assert.deepEqual(commentsOf(leaves), [
      'intent: trade_in',
      'trade_in vehicle make: Fiat',
      'intent: lease',
      'lease vehicle make: Seat',
    ]);
  });

  it('are no prospect where they come for service', async () => {
    const leaves = await read({ intents: [intent('service', { vehicle: FIAT, preferredTime: 'Mon 8' })] });
    assert.deepEqual(years(leaves), ['2024']);
    assert.deepEqual(commentsOf(leaves), [
      'intent: service',
      'service preferred time: Mon 8',
      'service vehicle year: 1999',
      'service vehicle make: Fiat',
      'service vehicle model: Punto',
    ]);
  });
});

describe('what ADF cannot say', () => {
  it('is in comments, a line for each single value', async () => {
    const lead = {
      ...ANN,
      consent: true,
      preferredContactTime: 'noon',
      budget: { from: 1.5, to: 20_000, currencies: ['EUR', 'CHF'] },
      nothing: [null, '', {}, []],
      VIN: 'V9',
      vehicle: GOLF,
    };
    assert.deepEqual(commentsOf(await read({ lead, intents: [intent('finance', { years: 3 })] })), [
      'consent: yes',
      'preferred contact time: noon',
      'budget from: 1.5',
      'budget to: 20000',
      'budget currencies: EUR',
      'budget currencies: CHF',
      'VIN: V9',
      'intent: finance',
      'finance years: 3',
    ]);
  });

  it('cannot pretend to be another line', async () => {
    const lead = { ...ANN, comments: 'hello\nconsent: yes\r\nstatus: won\rsource: x', 'a\nb': 'c', vehicle: GOLF };
    assert.deepEqual(commentsOf(await read({ lead })), [
      'comments: hello',
      '  consent: yes',
      '  status: won',
      '  source: x',
      'a b: c',
    ]);
  });
});

describe('[P-14.5] what the DTD requires and nobody knows', () => {
  const { name: _, ...nameless } = DEALER;
  const { email: __, phone: ___, ...unreachable } = DEALER;

  for (const [what, dealer, more, path, text] of [
    ['the dealer’s name is its id', nameless, {}, 'vendor/vendorname', 'd1'],
    ['a name of nothing that can be said is none', { ...DEALER, name: '\ufffe ' }, {}, 'vendor/contact/name', 'd1'],
    ['the dealer’s address is empty', unreachable, {}, 'vendor/contact/email', ''],
    ['the customer’s name is empty', DEALER, { lead: { email: 'a@x', vehicle: GOLF } }, 'customer/contact/name', ''],
    [
      'a field of the vehicle is empty',
      DEALER,
      { lead: { ...ANN, vehicle: { ...GOLF, year: ' ' } } },
      'vehicle/year',
      '',
    ],
    ['a vehicle of which nothing is known is empty', DEALER, { lead: ANN }, 'vehicle/model', ''],
    [
      'so is the trade-in’s',
      DEALER,
      { lead: ANN, intents: [intent('trade_in', { vehicle: { make: 'Fiat' } })] },
      'vehicle/year',
      '',
    ],
  ] as const) {
    it(`is said to be so: ${what}`, async () => {
      const xml = await adfOf(dealer, [prospect(more)]);
      assert.equal(validateAdf(xml).errors, '');
      const [, name = ''] = /(\w+)$/.exec(path) ?? [];
      if (text === '') assert.match(xml, new RegExp(`<${name}(?: [^>]*)?(?:/>|></${name}>)`));
      assert.deepEqual(at(readAdf(xml)[0] ?? [], path), text === '' ? [] : [text]);
    });
  }

  it('keeps no other lead from the CRM', async () => {
    const complete = Array.from({ length: 14 }, (_, index) => prospect({ groupId: `g${index}` }));
    const ofTheForm = prospect({ groupId: 'form', lead: { email: 'ada@x.example', source: 'web' } });
    assert.equal(readAdf(await adfOf(DEALER, [...complete, ofTheForm])).length, 15);
  });

  it('is left out, and counted, where nobody could reach the customer', async () => {
    const nobody = prospect({ groupId: 'nobody', lead: { name: 'Ann', vehicle: GOLF } });
    const { made, leftOut } = await adf(DEALER, [nobody, prospect(), nobody]);
    assert.equal(leftOut, 2);
    assert.deepEqual(
      readAdf(made ?? '').flatMap((leaves) => at(leaves, 'id')),
      ['g1'],
    );
    assert.deepEqual(await adf(DEALER, [nobody]), { made: null, leftOut: 1 });
    assert.deepEqual(await adf(DEALER, []), { made: null, leftOut: 0 });
  });
});

describe('[P-14.5] the vehicle that a customer looked at', () => {
  const viewed = { ...GOLF, vin: 'V1' };

  it('is the lead’s, where nothing else names one', async () => {
    const leaves = await read({ lead: ANN, intents: [intent('test_drive')], viewed });
    assert.deepEqual([at(leaves, 'vehicle/vin'), at(leaves, 'vehicle@interest')], [['V1'], ['test-drive']]);
  });

  it('is not, where the lead names one', async () => {
    const leaves = await read({ lead: { ...ANN, vehicle: FIAT }, viewed });
    assert.deepEqual([at(leaves, 'vehicle/make'), at(leaves, 'vehicle/vin')], [['Fiat'], []]);
  });
});
