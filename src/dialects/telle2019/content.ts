/** [P-19.2] The bot's choices and cards, as a message's content [P-18.1], and as Dialogflow has them. */
import { type Card, Content, linesOf } from '../../../schemas/content.ts';
import { RefusedError } from '../../../schemas/errors.ts';
import { checker, isJsonObject } from '../../protocol/checker.ts';
import { type Fields, filled } from './records.ts';

/** The platform whose parts pages of 2019 show as more than text. */
const RICH = { platform: 'FACEBOOK' } as const;

const check = checker(Content);
/** A content, where it is one that Telle takes: else the text alone says it. */
function taken(value: unknown): Content | undefined {
  try {
    return check(value);
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}

const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isJsonObject) : []);
const isUrl = (value: unknown): value is string => /^https?:\/\//.test(String(value));

/** A button, as a choice; one that opens a page is none. */
const choiceOf = ({ title, text, payload, postback }: Fields): Fields => {
  const label = title ?? text;
  const value = payload ?? postback;
  return filled({ label, value: value === label ? undefined : value });
};
const addressOf = ({ url, postback }: Fields): unknown => [url, postback].find(isUrl);

function cardOf({ title, subtitle, imageUri, image_url: imageUrl, url, buttons }: Fields): Fields {
  const all = listOf(buttons);
  const choices = all.filter((button) => addressOf(button) === undefined).map(choiceOf);
  const image = [imageUri, imageUrl].find((each) => /^https:/.test(String(each)));
  const link = [url, ...all.map(addressOf)].find(isUrl);
  return filled({ title, subtitle, image, url: link, choices: choices.length > 0 ? choices : undefined });
}

/** The template inside a part; empty where there is none. */
function templateIn({ payload }: Fields): Fields {
  const { facebook } = Object(payload);
  const { attachment } = Object(facebook);
  const { payload: template } = Object(attachment);
  return isJsonObject(template) ? template : {};
}

/** The content of a bot's array: what there is to choose from, else its cards. */
export function contentOf(parts: readonly unknown[]): Content | undefined {
  const all = listOf(parts);
  const replies = all.flatMap(({ quickReplies }) => Object(quickReplies).quickReplies ?? []);
  const buttons = all.flatMap((part) => listOf(templateIn(part).buttons)).map(choiceOf);
  const choices = [...replies.map((label: unknown) => ({ label })), ...buttons];
  if (choices.length > 0) return taken({ kind: 'choices', choices });
  const cards = all.flatMap((part) => [
    ...(isJsonObject(part.card) ? [part.card] : []),
    ...listOf(templateIn(part).elements),
  ]);
  return cards.length > 0 ? taken({ kind: 'cards', cards: cards.map(cardOf) }) : undefined;
}

const template = (payload: Fields): object => ({
  ...RICH,
  payload: { facebook: { attachment: { type: 'template', payload } } },
});

type Of<K extends Content['kind']> = Extract<Content, { kind: K }>;

/** Choices: where the text ends with them, they are not said twice. */
function repliesOf({ choices }: Of<'choices'>, text: string): object[] {
  const labels = choices.map(({ label }) => label);
  const tail = `\n${labels.join('\n')}`;
  const title = text.endsWith(tail) ? text.slice(0, -tail.length) : text;
  return [{ ...RICH, quickReplies: { title, quickReplies: labels } }];
}

const shownIn = (elements: readonly Fields[], text: string): object[] => [
  { ...RICH, text: { text: [text] } },
  template({ template_type: 'generic', elements }),
];

function elementOf({ title, subtitle, image, url, choices = [] }: Card): Fields {
  const opening = url === undefined ? [] : [{ type: 'web_url', title, url }];
  const buttons = choices.map(({ label, value = label }) => ({ type: 'postback', title: label, payload: value }));
  return filled({ title, subtitle, image_url: image, buttons: [...opening, ...buttons] });
}

function vehicleIn(content: Of<'vehicle'>, text: string): Fields {
  const [title = text] = linesOf(content);
  return filled({ title, image_url: content.image, buttons: [] });
}

/** A bot's message as pages of 2019 show it. */
export function partsOf(text: string, content: unknown): object[] {
  const known = content === undefined ? undefined : taken(content);
  switch (known?.kind) {
    case 'choices':
      return repliesOf(known, text);
    case 'cards':
      return shownIn(known.cards.map(elementOf), text);
    case 'vehicle':
      return shownIn([vehicleIn(known, text)], text);
    default:
      return [{ text: { text: [text] } }];
  }
}

/** A content in words, for who is shown text alone. */
export function wordsIn(content: unknown): string[] {
  const known = content === undefined ? undefined : taken(content);
  return known ? linesOf(known) : [];
}
