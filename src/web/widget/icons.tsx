const PATHS = {
  chat: 'M12 3c5 0 9 3.4 9 7.7s-4 7.7-9 7.7c-.9 0-1.8-.1-2.6-.3L4.5 20.5l1-3.9C4 15.2 3 13 3 10.7 3 6.4 7 3 12 3Z',
  close: 'm6 6 12 12M18 6 6 18',
  send: 'M4 12 20 4l-5 16-4-7-7-1Z',
  back: 'm14 6-6 6 6 6',
} as const;

/** A picture of what a button beside it says in words. */
export const Icon = ({ name }: { readonly name: keyof typeof PATHS }) => (
  <svg viewBox="0 0 24 24" aria-hidden="true">
    <path d={PATHS[name]} />
  </svg>
);
