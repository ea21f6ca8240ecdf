/** [P-18.1] Content of a message, made ready to be drawn: a vehicle is a card like others, and only what is known is there. */
import type { Card, Choice, Content } from '../../../schemas/content.ts';

export type { Choice, Content };

/** A card as it is drawn. */
export interface ShownCard {
  readonly title: string;
  readonly subtitle: string;
  readonly price: string;
  readonly image: string | undefined;
  readonly url: string | undefined;
  readonly choices: readonly Choice[];
}

type Vehicle = Extract<Content, { kind: 'vehicle' }>;

const joined = (words: readonly (string | number | null | undefined)[], by: string): string =>
  words.filter((word) => word !== undefined && word !== null && word !== '').join(by);

/** A URL of a scheme that is good for it: what was imported from elsewhere may hold any. */
const only = (scheme: RegExp, url: string | undefined): string | undefined =>
  url !== undefined && scheme.test(url) ? url : undefined;

const linked = ({ image, url }: Pick<Card, 'image' | 'url'>) => ({
  image: only(/^https:\/\//, image),
  url: only(/^https?:\/\//, url),
});

const cardOf = ({ title, subtitle = '', choices = [], ...card }: Card): ShownCard => ({
  ...{ title, subtitle, price: '', choices },
  ...linked(card),
});

function vehicleCard({ vehicle, price = '', ...card }: Vehicle, lang: string | undefined): ShownCard {
  const { year, make, model, trim, condition, stock, vin } = vehicle;
  return {
    title: joined([year, make, model, trim], ' '),
    subtitle: joined([condition, stock, vin], ' · '),
    price: typeof price === 'number' ? price.toLocaleString(lang) : price,
    choices: [],
    ...linked(card),
  };
}

/** The cards of a content; none, where it is only to be chosen from, or of a version to come. */
export function cardsOf(content: Content, lang: string | undefined): readonly ShownCard[] {
  if (content.kind === 'cards') return content.cards.map(cardOf);
  return content.kind === 'vehicle' ? [vehicleCard(content, lang)] : [];
}

/** The answers beside the text itself. */
export const choicesOf = (content: Content): readonly Choice[] => (content.kind === 'choices' ? content.choices : []);

/** All words of it, for who searches. */
export function wordsOf(content: Content): string[] {
  const cards = cardsOf(content, undefined);
  const choices = [...choicesOf(content), ...cards.flatMap((card) => card.choices)];
  return [
    ...cards.flatMap(({ title, subtitle, price }) => [title, subtitle, price]),
    ...choices.map(({ label }) => label),
  ];
}
