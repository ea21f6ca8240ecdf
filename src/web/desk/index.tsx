import { render } from 'preact';
import { App } from './app.tsx';
import { LOCALE, text } from './texts.ts';

document.documentElement.lang = LOCALE;
document.title = text('desk');
const root = document.querySelector('#desk');
if (root) render(<App />, root);
