/** The page that people read: both documents as HTML that asks for nothing else, and runs nothing. */
import type { JsonSchema } from '../../schemas/json-schema.ts';
import type { AsyncApi, Message } from './asyncapi.ts';
import { Html, html, joined, prose, table } from './html.ts';
import type { Media, OpenApi, Operation } from './openapi.ts';
import { fields, kindOf, schemaSection } from './page-schema.ts';

/** The one style of the page, whose hash its policy names. */
export const STYLE = `
:root { color-scheme: light dark; --line: #8886; --soft: #8882; --link: #0b57d0; --code: #8881; }
@media (prefers-color-scheme: dark) { :root { --link: #8ab4f8; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 78rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
a { color: var(--link); }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
h3, h4 { margin-bottom: .25rem; }
section { scroll-margin-top: 1rem; }
code, pre { font: .875em/1.45 ui-monospace, monospace; background: var(--code); border-radius: .25rem; }
code { padding: .1em .3em; }
pre { padding: .75rem; overflow-x: auto; overflow-wrap: normal; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; font-size: .9375rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--soft); min-width: 5rem; }
summary { cursor: pointer; }
.method { display: inline-block; min-width: 4rem; font-weight: 700; }
nav ul { columns: 20rem; list-style: none; padding: 0; }
@media print { details { display: block; } }
`;

const json = (value: unknown): Html => html`<pre>${JSON.stringify(value, null, 2)}</pre>`;
const example = (title: string, value: unknown): Html =>
  html`<details><summary>Example: ${title}</summary>${json(value)}</details>`;

function media([type, { schema, examples = {} }]: [string, Media]): Html {
  const told = Object.values(examples).map(({ summary, value }) => example(summary, value));
  // What every error is, is said once.
  const kind = type === 'application/problem+json' ? null : html`<p><code>${type}</code>: ${kindOf(schema)}</p>`;
  return html`${kind}${told}`;
}

const bodies = (content: Readonly<Record<string, Media>> = {}): Html[] => Object.entries(content).map(media);

function operation(path: string, method: string, { operationId, ...about }: Operation): Html {
  const { summary = '', description, security, parameters = [], requestBody, responses } = about;
  const rows = parameters.map(({ name, required, schema, description: what = '' }) => [
    html`<code>${name}</code>${required ? null : '?'}`,
    kindOf(schema),
    what,
  ]);
  const askers = security?.flatMap(({ bearer }) => bearer) ?? [];
  return html`<section id="${operationId}">
<h3><span class="method">${method.toUpperCase()}</span> <code>${path}</code></h3>
<p>${summary}.</p>
${description === undefined ? null : prose(description)}
<p>Token: ${
    askers.length > 0
      ? joined(
          askers.map((asker) => html`<code>${asker}</code>`),
          ' or ',
        )
      : 'none'
  }.</p>
${rows.length > 0 ? table(['parameter', 'kind', 'what'], rows) : null}
${requestBody ? html`<h4>Body</h4>${bodies(requestBody.content)}` : null}
<h4>Answers</h4>
${table(
  ['status', 'what'],
  Object.entries(responses).map(([status, { description: what, content }]) => [
    status,
    [...prose(what), ...bodies(content)],
  ]),
)}
</section>`;
}

/** A message: what it does, its payload's fields, and examples. */
function message(name: string, { summary, title, payload, examples }: Message, schemas: Schemas): Html {
  const schema = payload.properties.payload;
  const of = typeof schema?.$ref === 'string' ? schemas[schema.$ref.split('/').at(-1) ?? ''] : schema;
  return html`<section id="${name}">
<h4><code>${title}</code></h4>
<p>${summary} Payload: ${schema ? kindOf(schema) : null}</p>
${of ? fields(of) : null}
${examples.map((each) => example(each.summary, each.payload))}
</section>`;
}

type Schemas = Readonly<Record<string, JsonSchema>>;

/** Senders of frames, by the first part of the frames' names. */
const SENDERS: readonly (readonly [string, string])[] = [
  ['customer', 'A customer sends'],
  ['admin', 'An admin sends'],
  ['server', 'Another server sends'],
  ['telle', 'Telle sends'],
];

/** The channels of a sender, in the order of the document. */
function channelsOf(sender: string, { operations }: AsyncApi): string[] {
  return Object.keys(operations).flatMap((name) =>
    name.startsWith(`${sender}.`) ? [name.slice(sender.length + 1)] : [],
  );
}

function channel(sender: string, name: string, { components, channels }: AsyncApi): Html {
  const own = Object.keys(channels[name]?.messages ?? {}).filter((each) => each.startsWith(`${sender}.`));
  const told = own.flatMap((each) => {
    const about = components.messages[each];
    return about ? [message(each, about, components.schemas)] : [];
  });
  return html`<section id="channel-${sender}.${name}"><h3><code>${name}</code></h3>${told}</section>`;
}

const operationsOf = ({ paths }: OpenApi): (readonly [string, string, Operation])[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, about]) => [path, method, about] as const),
  );

function navigation(openapi: OpenApi, asyncapi: AsyncApi): Html {
  const http = operationsOf(openapi).map(
    ([path, method, { operationId }]) =>
      html`<li><a href="#${operationId}"><span class="method">${method.toUpperCase()}</span> ${path}</a></li>`,
  );
  const senders = SENDERS.map(([sender, title]) => {
    const links = channelsOf(sender, asyncapi).map(
      (name) => html`<li><a href="#channel-${sender}.${name}">${name}</a></li>`,
    );
    return html`<p><a href="#${sender}">${title}</a></p><ul>${links}</ul>`;
  });
  return html`<nav><p><a href="#http">HTTP</a></p><ul>${http}</ul>${senders}<p><a href="#schemas">Schemas</a></p></nav>`;
}

/** @returns the whole page */
export function page(openapi: OpenApi, asyncapi: AsyncApi): string {
  const schemas = Object.entries({ ...openapi.components.schemas, ...asyncapi.components.schemas });
  const sorted = schemas.sort(([one], [other]) => (one < other ? -1 : 1));
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>Telle ${openapi.info.version}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<header>
<h1>Telle ${openapi.info.version}</h1>
<p>Made of the schemas that validate. The same for programs: <a href="/openapi.json">OpenAPI</a>, <a href="/asyncapi.json">AsyncAPI</a>, <a href="/schemas">JSON Schemas</a>.</p>
</header>
${navigation(openapi, asyncapi)}
<main>
<h2 id="http">HTTP</h2>
${prose(openapi.info.description)}
${operationsOf(openapi).map(([path, method, about]) => operation(path, method, about))}
<h2 id="websocket">WebSocket</h2>
${prose(asyncapi.info.description)}
${SENDERS.map(([sender, title]) => html`<h2 id="${sender}">${title}</h2>${channelsOf(sender, asyncapi).map((name) => channel(sender, name, asyncapi))}`)}
<h2 id="schemas">Schemas</h2>
${sorted.map(([name, schema]) => schemaSection(name, schema))}
</main>
</body>
</html>
`.text;
}
