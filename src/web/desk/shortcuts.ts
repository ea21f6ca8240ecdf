/** Shortcuts of single keys, which are those of the list: anywhere else, what is typed is written. */
import type { TextName } from './languages/en.ts';
import { Shelf } from './shelf.ts';

export interface Shortcut {
  readonly key: string;
  /** Effect, in words for people. */
  readonly what: TextName;
}

export const SHORTCUTS = [
  { key: 'j', what: 'next one' },
  { key: 'k', what: 'previous one' },
  { key: 'u', what: 'next unread' },
  { key: '/', what: 'search' },
  { key: 'r', what: 'write an answer' },
  { key: 't', what: 'take over from bot' },
  { key: 'b', what: 'hand back' },
  { key: 'x', what: 'close it' },
  { key: 'z', what: 'undo it' },
  { key: 'd', what: 'toggle details' },
  { key: 'a', what: 'announce to all' },
  { key: '?', what: 'show this' },
] as const satisfies readonly Shortcut[];
export type Key = (typeof SHORTCUTS)[number]['key'];

/** Shortcuts that work everywhere, and cannot be turned off: none of it is a single letter. */
export const FIXED: readonly Shortcut[] = [
  { key: '↑ ↓', what: 'move in list' },
  { key: 'Enter', what: 'open or send' },
  { key: 'Shift+Enter', what: 'new line' },
  { key: 'Esc', what: 'leave' },
];

const isKey = (key: string): key is Key => SHORTCUTS.some((shortcut) => shortcut.key === key);

const isWithin = ({ target }: KeyboardEvent, selector: string): boolean =>
  target instanceof Element && target.closest(selector) !== null;

/** Tells whether a key press belongs to what is being written. */
export const isWriting = (event: KeyboardEvent): boolean => isWithin(event, 'input, textarea, select, dialog');

/** Tells whether a key is part of a composition: Safari ends that before it tells of the key, and says so by its code alone. */
export const isComposed = ({ isComposing, keyCode }: KeyboardEvent): boolean => isComposing || keyCode === 229;

const isPlain = (event: KeyboardEvent): boolean =>
  !(event.ctrlKey || event.metaKey || event.altKey || isComposed(event) || isWriting(event));

/** The shortcut that a key press is, in the list or where nothing is open; null where it is none. */
export function shortcutOf(event: KeyboardEvent, isOpen: boolean): Key | null {
  const { key } = event;
  if (!isPlain(event) || !isKey(key)) return null;
  return isWithin(event, '.list') || !isOpen ? key : null;
}

/** Tells whether a key press is a character that somebody would have written into the answer. */
export const isWritten = (event: KeyboardEvent): boolean =>
  isPlain(event) && event.key !== ' ' && [...event.key].length === 1 && !isWithin(event, '.list');

const shelf = new Shelf('localStorage', 'telle.desk');
const OFF = 'keys-off';

/** Tells whether single keys do anything: somebody who speaks to the computer turns them off (WCAG 2.1.4). */
export const areKeysOn = (): boolean => shelf.get(OFF) === null;
export const setKeysOn = (areOn: boolean): void => shelf.put(OFF, areOn ? '' : 'yes');
