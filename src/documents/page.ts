export const STYLE = '';
export const page = (..._: unknown[]) => '';
