/** What is known of a customer: profile, lead, intents, pages. All of it is the customer's word, and shown as text. */
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Fields } from '../../../schemas/records.ts';
import type { Chat } from './chat.ts';
import { type Conversation, textOf } from './conversation.ts';
import { whenOf } from './words.ts';

interface Props {
  readonly chat: Chat;
  readonly conversation: Conversation;
  readonly hide: () => void;
}

export function Details({ chat, conversation, hide }: Props) {
  const { user, lead, groupId } = conversation;
  const { intents, visits } = chat;
  // Most of what is redrawn has nothing to do with these.
  return useMemo(
    () => (
      <aside class="details" aria-label="Customer">
        <button type="button" class="hide" onClick={hide} aria-label="Hide details" title="Hide details">
          ×
        </button>
        <Section title="Profile">
          <Record fields={user} />
        </Section>
        <Section title="Lead">
          <Record fields={lead} />
        </Section>
        <Section title="Intents">
          {intents.size === 0 && <Unknown />}
          {[...intents].map(([intent, fields]) => (
            <div class="intent" key={intent}>
              <h4>
                <bdi>{intent.replaceAll('_', ' ')}</bdi>
                <span class="badge">{textOf(fields, 'status')}</span>
              </h4>
              <Record fields={without(fields, 'intent', 'status')} isMore />
            </div>
          ))}
        </Section>
        <Section title="Pages">
          {visits.length === 0 && <Unknown />}
          <ol class="visits">
            {visits.map(({ seq, at, fields }) => (
              <li key={seq}>
                <time dateTime={at}>{whenOf(at)}</time>
                <PageOf fields={fields} />
              </li>
            ))}
          </ol>
        </Section>
        <Section title="Conversation">
          <Record fields={{ id: groupId, began: whenOf(conversation.createdAt) }} />
        </Section>
      </aside>
    ),
    [user, lead, intents, visits, groupId],
  );
}

interface SectionProps {
  readonly title: string;
  readonly children: ComponentChildren;
}

const Section = ({ title, children }: SectionProps) => (
  <section>
    <h3>{title}</h3>
    {children}
  </section>
);

const Unknown = () => <p class="quiet">Nothing known</p>;

function without(fields: Fields, ...names: string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}

/** Every field with its name; those within others behind the others' names. */
function rowsOf(fields: Fields, within = ''): (readonly [name: string, text: string])[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    if (value !== null && typeof value === 'object') return rowsOf({ ...value }, `${within}${name} · `);
    return value === null || value === '' ? [] : [[within + name, String(value)] as const];
  });
}

/** @param isMore that nothing is there need not be said */
function Record({ fields, isMore = false }: { readonly fields: Fields; readonly isMore?: boolean }) {
  const rows = rowsOf(fields);
  if (rows.length === 0) return isMore ? null : <Unknown />;
  return (
    <dl class="record">
      {rows.map(([name, text]) => (
        <div key={name}>
          <dt dir="auto">{name}</dt>
          <dd dir="auto">{text}</dd>
        </div>
      ))}
    </dl>
  );
}

/** An address that may be opened: what else is written there is only shown. */
const isAddress = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

function PageOf({ fields }: { readonly fields: Fields }) {
  const [title, url] = [textOf(fields, 'title'), textOf(fields, 'url')];
  const rest = without(fields, 'title', 'url');
  return (
    <>
      {title && <span dir="auto">{title}</span>}
      {isAddress(url) ? (
        <a href={url} target="_blank" rel="noopener noreferrer" dir="ltr">
          {url}
        </a>
      ) : (
        <span dir="auto">{url}</span>
      )}
      <Record fields={rest} isMore />
    </>
  );
}
