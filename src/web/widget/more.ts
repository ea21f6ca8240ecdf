/** `/widget-more.js`: the open chat, and what else is needed only once somebody chats. */
import contentStyle from '../content/content.css' with { type: 'text' };
import style from './panel.css' with { type: 'text' };

export { told } from './address.ts';
export { Panel } from './panel.tsx';
export { takePreact } from './preact-given.ts';
export { reasonOf } from './reasons.ts';
export { ring } from './sound.ts';
export { vehicleOn } from './vehicle.ts';
export const panelStyle = style + contentStyle;
