/** Shortcuts of single keys. */
export interface Shortcut {
  readonly key: string;
  /** Effect, in words for people. */
  readonly what: string;
}

export const SHORTCUTS = [
  { key: 'j', what: 'Next conversation' },
  { key: 'k', what: 'Previous conversation' },
  { key: 'u', what: 'Next conversation with something unread' },
  { key: '/', what: 'Search' },
  { key: 'r', what: 'Write an answer' },
  { key: 't', what: 'Take over from the bot' },
  { key: 'b', what: 'Hand back to the bot' },
  { key: 'x', what: 'Close the conversation' },
  { key: 'd', what: "Show or hide the customer's details" },
  { key: 'a', what: 'Announce to everybody' },
  { key: '?', what: 'Show this list' },
] as const satisfies readonly Shortcut[];
export type Key = (typeof SHORTCUTS)[number]['key'];

/** Shortcuts that work everywhere, and cannot be turned off: none of it is a single letter. */
export const FIXED: readonly Shortcut[] = [
  { key: '↑ ↓', what: 'Move in the list' },
  { key: 'Enter', what: 'Open; in an answer: send' },
  { key: 'Shift+Enter', what: 'A new line in an answer' },
  { key: 'Esc', what: 'Leave the answer, the search, a dialogue, the conversation' },
];

const isKey = (key: string): key is Key => SHORTCUTS.some((shortcut) => shortcut.key === key);

/** Tells whether a key press belongs to what is being written. */
export const isWriting = ({ target }: KeyboardEvent): boolean =>
  target instanceof Element && target.closest('input, textarea, select, dialog') !== null;

/** The shortcut that a key press is; null where it is none. */
export function shortcutOf(event: KeyboardEvent): Key | null {
  const { key, ctrlKey, metaKey, altKey, isComposing } = event;
  if (ctrlKey || metaKey || altKey || isComposing || !isKey(key)) return null;
  return isWriting(event) ? null : key;
}

const OFF = 'telle.desk/keys-off';

/** Tells whether single keys do anything: somebody who speaks to the computer turns them off (WCAG 2.1.4). */
export const areKeysOn = (): boolean => localStorage.getItem(OFF) === null;
export const setKeysOn = (areOn: boolean): void =>
  areOn ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, 'yes');
