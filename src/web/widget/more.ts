/** `/widget-more.js`: the open chat, and what else is needed only once somebody chats. */
import contentStyle from '../content/content.css' with { type: 'text' };
import style from './panel.css' with { type: 'text' };

export { Stream } from '../../client/stream.ts';
export { told } from './address.ts';
export { readBefore } from './history.ts';
export { Panel } from './panel.tsx';
export { takePreact } from './preact-given.ts';
export { reasonOf } from './reasons.ts';
export { lookIn } from './reception.ts';
export { ring } from './sound.ts';
export { vehicleOn } from './vehicle.ts';
export const panelStyle = style + contentStyle;
