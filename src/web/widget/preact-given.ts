/** Preact as the widget's own file has it, for the file that is loaded later: hooks work with one Preact alone. */
import type * as hooks from 'preact/hooks';
import type * as runtime from 'preact/jsx-runtime';

export type Given = Pick<typeof runtime, 'jsx' | 'jsxs' | 'Fragment'> &
  Pick<typeof hooks, 'useEffect' | 'useLayoutEffect' | 'useRef' | 'useState'>;

export let jsx: Given['jsx'];
export let jsxs: Given['jsxs'];
export let Fragment: Given['Fragment'];
export let useEffect: Given['useEffect'];
export let useLayoutEffect: Given['useLayoutEffect'];
export let useRef: Given['useRef'];
export let useState: Given['useState'];

export function takePreact(given: Given): void {
  ({ jsx, jsxs, Fragment, useEffect, useLayoutEffect, useRef, useState } = given);
}
