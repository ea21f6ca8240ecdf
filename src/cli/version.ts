import { readAsset } from '../assets.ts';

/** The package's version. */
export const version: string = JSON.parse(readAsset('package.json').toString()).version;
