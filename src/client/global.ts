/** The client for a script tag: its global is `telle`, which a widget on the same page has, too. Either may come first. */
import { connect, TelleError } from './index.ts';

// Another thing of that name, as an element's id, is no global of anybody's.
const had: unknown = Object.hasOwn(globalThis, 'telle') ? Reflect.get(globalThis, 'telle') : {};
Object.assign(globalThis, { telle: Object.assign(Object(had), { connect, TelleError }) });
