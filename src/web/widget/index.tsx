import { connect } from '../../client/index.ts';

Object.assign(window, { telle: { connect } });
