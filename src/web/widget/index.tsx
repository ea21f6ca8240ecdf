/** `/widget.js`: a chat on a dealer's page, from one script tag. */
import { findTag, optionsOf } from './options.ts';
import { start } from './start.tsx';

// A page that has the tag twice has one widget. The client's own file has the same global: either may come first.
const had: unknown = Object.hasOwn(window, 'telle') ? Reflect.get(window, 'telle') : undefined;
if (!Object.hasOwn(Object(had), 'open')) {
  const options = optionsOf(findTag());
  if (options) Object.assign(window, { telle: Object.assign(Object(had), start(options)) });
}
