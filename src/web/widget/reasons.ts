/** Why a widget does not work, and what to do, for the console: whoever put it on the page reads that. */

export type Trouble = 'unknown_dealer' | 'forbidden' | 'unauthorized' | 'unreachable';

interface Where {
  readonly dealerId: string;
  readonly server: string;
}

const REASONS: Readonly<Record<Trouble, (where: Where) => string>> = {
  unknown_dealer: ({ dealerId, server }) =>
    `${server} has no dealer "${dealerId}": correct data-dealer, or make it: telle dealer add ${dealerId} --origin ${location.origin}`,
  forbidden: ({ dealerId, server }) =>
    `${server} takes no chats from ${location.origin} for the dealer "${dealerId}": list that origin: telle dealer add ${dealerId} --origin ${location.origin}`,
  unauthorized: ({ dealerId }) => `the dealer ${dealerId} takes customers by a token alone: call telle.login(token)`,
  unreachable: ({ server }) =>
    `${server} cannot be reached: is it up, is data-url right, and does the page's Content-Security-Policy have it in connect-src?`,
};

export const reasonOf = (trouble: Trouble, where: Where): string => `telle: ${REASONS[trouble](where)}`;
