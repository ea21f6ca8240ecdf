/** Details of a customer: profile, lead, intents, pages. All of it is the customer's word, and shown as text. */
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Fields } from '../../../schemas/records.ts';
import { leadsElsewhere } from './addresses.ts';
import type { Chat } from './chat.ts';
import { type Conversation, textOf } from './conversation.ts';
import { type Known, NOTHING, rowsOf } from './record.ts';
import { parts, text } from './texts.ts';
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
      <aside class="details" aria-label={text('customer')}>
        <button
          type="button"
          class="hide"
          onClick={hide}
          aria-label={text('hide details')}
          title={text('hide details')}
        >
          ×
        </button>
        <Section title={text('profile')}>
          <Record known={user} />
        </Section>
        <Section title={text('lead')}>
          <Record known={lead} />
        </Section>
        <Section title={text('intents')}>
          {intents.size === 0 && <Unknown />}
          {[...intents].map(([intent, known]) => (
            <div class="intent" key={intent}>
              <h4>
                <bdi>{intent.replaceAll('_', ' ')}</bdi>
                <span class="badge">{textOf(known.fields, 'status')}</span>
              </h4>
              <Record known={{ ...known, fields: without(known.fields, 'intent', 'status') }} isMore />
            </div>
          ))}
        </Section>
        <Section title={text('pages')}>
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
        <Section title={text('conversation')}>
          <Record
            known={{ ...NOTHING, fields: { [text('id')]: groupId, [text('began')]: whenOf(conversation.createdAt) } }}
          />
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

const Unknown = () => <p class="quiet">{text('nothing known')}</p>;

function without(fields: Fields, ...names: string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}

/** @param isMore that nothing is there need not be said */
function Record({ known, isMore = false }: { readonly known: Known; readonly isMore?: boolean }) {
  const rows = rowsOf(known);
  if (rows.length === 0) return isMore ? null : <Unknown />;
  return (
    <dl class="record">
      {rows.map(({ name, text: value, isCustomers, otherwise }) => (
        <div key={name}>
          <dt dir="auto">{name}</dt>
          <dd>
            <span dir="auto">{value}</span>
            {isCustomers && <Mark title={text('only customer')}>{text("customer's word")}</Mark>}
            {otherwise !== undefined && (
              <Mark title={text('says otherwise')}>{parts('customer says', { text: <bdi>{otherwise}</bdi> })}</Mark>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

const Mark = ({ title, children }: { readonly title: string; readonly children: ComponentChildren }) => (
  <span class="mark" title={title}>
    {children}
  </span>
);

function PageOf({ fields }: { readonly fields: Fields }) {
  const [title, url] = [textOf(fields, 'title'), textOf(fields, 'url')];
  const rest = without(fields, 'title', 'url');
  return (
    <>
      {title && <span dir="auto">{title}</span>}
      {/^https?:/i.test(url) && leadsElsewhere(url) ? (
        <a href={url} target="_blank" rel="noopener noreferrer" dir="ltr">
          {url}
        </a>
      ) : (
        <span dir="auto">{url}</span>
      )}
      <Record known={{ ...NOTHING, fields: rest }} isMore />
    </>
  );
}
