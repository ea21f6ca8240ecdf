import { render } from 'preact';
import { App } from './app.tsx';

const root = document.querySelector('#desk');
if (root) render(<App />, root);
