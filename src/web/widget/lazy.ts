import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Fragment, jsx, jsxs } from 'preact/jsx-runtime';
import type * as More from './more.ts';

/** Everything that is needed only once somebody chats; undefined until it is there. */
export let more: typeof More | undefined;

/** Loads what the build makes of `more.ts`: a file beside the widget's own, wherever that came from. */
export async function loadMore(home: URL): Promise<typeof More> {
  const found: typeof More = await import(new URL('widget-more.js', home).href);
  found.takePreact({ Fragment, jsx, jsxs, useEffect, useLayoutEffect, useRef, useState });
  more = found;
  return found;
}
