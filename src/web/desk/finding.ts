/** Finding of conversations among those that are here: without regard to case, accents and apostrophes, and phones by their digits. */
import { wordsOf } from '../content/shown.ts';
import {
  byActivity,
  byWait,
  type Conversation,
  fullName,
  nameOf,
  TABS,
  tabOf,
  textOf,
  type View,
} from './conversation.ts';

const MARKS = /\p{M}/gu;
const APOSTROPHES = /['’‘ʼ´`]/g;

/** A text as it is compared. */
export const fold = (text: string): string =>
  text.normalize('NFKD').replace(MARKS, '').replace(APOSTROPHES, '').toLowerCase();

/** Form of a phone number, as people write it. */
const PHONE = /^[+(\d][\d\s()./-]*$/;
/** Zero that is dialled within a country alone, before seven digits or more. */
const TRUNK = /^0(?=\d{7})/;
const digitsOf = (text: string): string => text.replace(/\D/g, '');

/** Fewer digits are in too many numbers. */
const FEWEST_DIGITS = 4;

function searched(conversation: Conversation): string {
  const { groupId, user, lead, last, visit } = conversation;
  const known = [user.fields, lead.fields];
  const fields = known.flatMap((each) => [
    fullName(each),
    ...['email', 'phone', 'vin', 'stock'].map((name) => textOf(each, name)),
  ]);
  const { vehicle } = lead.fields;
  const car = typeof vehicle === 'object' && vehicle !== null ? Object.values(vehicle).map(String) : [];
  const pages = visit ? [textOf(visit.fields, 'title'), textOf(visit.fields, 'url')] : [];
  return fold(
    [
      nameOf(conversation),
      groupId,
      ...fields,
      ...car,
      last?.message ?? '',
      ...(last?.content ? wordsOf(last.content) : []),
      ...pages,
    ].join('\n'),
  );
}

const phonesOf = ({ user, lead }: Conversation): string[] =>
  [user.fields, lead.fields].map((fields) => digitsOf(textOf(fields, 'phone')));

/** @returns what tells whether a conversation is one that is searched for */
export function finder(search: string): (conversation: Conversation) => boolean {
  const words = fold(search).split(/\s+/).filter(Boolean);
  const digits = PHONE.test(search.trim()) ? digitsOf(search) : '';
  const number = digits.replace(TRUNK, '');
  return (conversation) => {
    if (words.length === 0) return true;
    if (digits.length >= FEWEST_DIGITS && phonesOf(conversation).some((phone) => phone.includes(number))) return true;
    const text = searched(conversation);
    return words.every((word) => text.includes(word));
  };
}

export interface Shown {
  /** Those that the list shows: the longest wait first, or the latest message. */
  readonly shown: Conversation[];
  /** Number of those that would be shown if they were not closed. */
  readonly inClosed: number;
}

/** @param found those that the server has found for the same search */
export function shownIn(
  conversations: Iterable<Conversation>,
  view: View,
  found: ReadonlyMap<string, unknown>,
  adminId: string,
): Shown {
  const { search, isOnline } = view;
  const tab = tabOf(view);
  const isFound = finder(search);
  const all = [...conversations].filter(
    (each) => (isFound(each) || found.has(each.groupId)) && (each.online || !isOnline),
  );
  const shown = all.filter((each) => TABS[tab](each, adminId)).sort(tab === 'waiting' ? byWait : byActivity);
  const isAsked = search.trim() !== '' && tab === 'everybody';
  return { shown, inClosed: isAsked ? all.filter(({ closed }) => closed).length : 0 };
}
