/** Languages of the desk: a file each, and a line here. One that lacks a text, or has one too many, does not compile. */
import { en, type Texts } from './en.ts';
import { es } from './es.ts';

export const LANGUAGES: ReadonlyMap<string, Texts> = new Map<string, Texts>([
  ['en', en],
  ['es', es],
]);
