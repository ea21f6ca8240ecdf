/** [P-18.1] The rest of a message besides its text: something to choose from, cards, or a vehicle. None of it is markup. */
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { Plain, text } from './kinds.ts';
import type { Vehicle as VehicleRecord } from './records.ts';

/** A URL of one or more schemes: nothing blank, and no user and password that could pass for a host. */
const url = (schemes: string, description: string) =>
  Type.String({
    maxLength: 2000,
    pattern: `^${schemes}://[^\\s/?#@\\\\"<>]+([/?#][^\\s\\\\"<>]*)?$`,
    description,
  });
const Image = url('https', 'a URL that begins with https:// and has neither blanks nor a user');
const Link = url('https?', 'a URL that begins with https:// or http:// and has neither blanks nor a user');
const shown = { image: Type.Optional(Image), url: Type.Optional(Link) };

/** One answer of those offered: its label is what the customer says by it. */
export const Choice = Type.Object(
  { label: Plain(200), value: Type.Optional(text(1000)) },
  { description: 'An answer to choose: the customer says the label, and the value is sent beside it.' },
);
export type Choice = Static<typeof Choice>;

/** One thing of several that are shown beside each other. */
export const Card = Type.Object(
  {
    title: Plain(200),
    subtitle: Type.Optional(text(500)),
    ...shown,
    choices: Type.Optional(Type.Array(Choice, { maxItems: 10 })),
  },
  { description: 'Something that is shown, with a picture, a link and answers of its own.' },
);
export type Card = Static<typeof Card>;

const orNull = <S extends TSchema>(schema: S) => Type.Optional(Type.Union([schema, Type.Null()]));
const word = orNull(text(200, 0));

/** [P-6.4] The well-known fields of a vehicle, each no longer than can be shown. */
const vehicle = {
  condition: word,
  year: orNull(Type.Union([Type.Integer({ minimum: 0, maximum: 9999 }), text(20, 0)])),
  make: word,
  model: word,
  trim: word,
  vin: word,
  stock: word,
} satisfies Record<keyof Static<typeof VehicleRecord>, TSchema>;

export const Choices = Type.Object(
  { kind: Type.Literal('choices'), choices: Type.Array(Choice, { minItems: 1, maxItems: 20 }) },
  { description: 'Answers to choose from.' },
);
export const Cards = Type.Object(
  { kind: Type.Literal('cards'), cards: Type.Array(Card, { minItems: 1, maxItems: 20 }) },
  { description: 'Cards beside each other.' },
);
export const VehicleCard = Type.Object(
  {
    kind: Type.Literal('vehicle'),
    vehicle: Type.Object(vehicle, { description: 'The vehicle, as far as it is known.' }),
    price: Type.Optional(Type.Union([Type.Number({ minimum: 0, maximum: 1e12 }), Plain(100)])),
    ...shown,
  },
  { description: 'A vehicle, with its price.' },
);

export const Content = Type.Union([Choices, Cards, VehicleCard], {
  description: 'What a message holds besides its text. It is told apart by its kind.',
});
export type Content = Static<typeof Content>;

/** Parts of it that are published by names of their own. */
export const CONTENTS = { Content, Choices, Cards, VehicleCard, Choice, Card } as const;

/** All answers that a content offers, in the order in which they are shown: by their numbers a terminal has them. */
export function choicesOf(content: Content): readonly Choice[] {
  if (content.kind === 'choices') return content.choices;
  return content.kind === 'cards' ? content.cards.flatMap(({ choices = [] }) => choices) : [];
}

/** A vehicle's name, as people say it; empty where nothing of it is known. */
const nameOf = ({ year, make, model, trim }: Static<typeof VehicleCard>['vehicle']): string =>
  filled([year, make, model, trim]).join(' ');

const filled = (words: readonly (string | number | null | undefined)[]): string[] =>
  words.map((word) => String(word ?? '')).filter((word) => word !== '');

/** A content in words, a line for each thing in it; the answers are numbered. */
export function linesOf(content: Content): string[] {
  let number = 0;
  const offered = (choices: readonly Choice[]) =>
    choices.map(({ label }) => {
      number += 1;
      return `${number}. ${label}`;
    });
  switch (content.kind) {
    case 'choices':
      return offered(content.choices);
    case 'cards':
      return content.cards.flatMap(({ title, subtitle, url, choices = [] }) => [
        filled([title, subtitle, url]).join(', '),
        ...offered(choices),
      ]);
    case 'vehicle': {
      const { condition, vin, stock } = content.vehicle;
      const known = [nameOf(content.vehicle), condition, stock && `stock ${stock}`, vin && `VIN ${vin}`];
      return [filled([...known, content.price, content.url]).join(', ')].filter(Boolean);
    }
    default:
      return []; // of a version to come
  }
}
