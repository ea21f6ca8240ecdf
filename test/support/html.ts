/**
 * Reads HTML that is also well-formed XML, and refuses any other: every tag is closed, every attribute quoted, and no
 * `<` or `&` stands for itself. What is parsed so holds nothing that a browser might read in another way.
 */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: (Element | string)[];
}

const TAG = /^<(\/?)([a-z][a-z0-9]*)((?: [a-z-]+="[^"<]*")*)(\/?)>/;
const ENTITY = /&(amp|lt|gt|quot|#39);/g;
const MEANING: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

function unescaped(text: string): string {
  if (/&(?!(?:amp|lt|gt|quot|#39);)/.test(text)) throw new Error(`an & that is not escaped: ${text.slice(0, 80)}`);
  return text.replace(ENTITY, (_, name: string) => MEANING[name] ?? '');
}

/** @throws where it is anything else than said above */
export function parseHtml(text: string): Element {
  const root: Element = { name: '', attributes: {}, children: [] };
  const open = [root];
  let rest = text.replace(/^<!doctype html>/, '');
  while (rest.length > 0) {
    const at = rest.indexOf('<');
    const inside = open.at(-1) ?? root;
    if (at !== 0) {
      inside.children.push(unescaped(at < 0 ? rest : rest.slice(0, at)));
      rest = at < 0 ? '' : rest.slice(at);
      continue;
    }
    const [tag = '', closing, name = '', attributes = '', empty] = TAG.exec(rest) ?? [];
    if (tag === '') throw new Error(`not a tag: ${rest.slice(0, 80)}`);
    rest = rest.slice(tag.length);
    if (closing) {
      if (open.pop()?.name !== name) throw new Error(`</${name}> closes something else`);
      continue;
    }
    const pairs = [...attributes.matchAll(/ ([a-z-]+)="([^"]*)"/g)];
    const element: Element = {
      name,
      attributes: Object.fromEntries(pairs.map(([, key = '', value = '']) => [key, unescaped(value)])),
      children: [],
    };
    inside.children.push(element);
    if (!empty) open.push(element);
  }
  if (open.length !== 1) throw new Error(`<${open.at(-1)?.name}> is not closed`);
  return root;
}

/** Every element within one, itself included, in order. */
export const elementsOf = (element: Element): Element[] => [
  element,
  ...element.children.flatMap((child) => (typeof child === 'string' ? [] : elementsOf(child))),
];

/** The text that is read. */
export const textOf = (element: Element): string =>
  element.children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('');
