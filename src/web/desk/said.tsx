import { useMemo } from 'preact/hooks';
import { partsOf } from '../text/links.ts';
import { leadsElsewhere } from './addresses.ts';

/** A text, its addresses and numbers as links. They lead out of the desk, which nobody learns of by them. */
export const Said = ({ text }: { readonly text: string }) => {
  const parts = useMemo(() => partsOf(text), [text]);
  return (
    <>
      {parts.map(({ text: part, href }) =>
        href !== undefined && leadsElsewhere(href) ? (
          <a href={href} dir="ltr" target="_blank" rel="noopener noreferrer">
            {part}
          </a>
        ) : (
          part
        ),
      )}
    </>
  );
};
