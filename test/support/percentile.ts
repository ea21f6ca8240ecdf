/** The figure that so great a part of them, such as 0.99, does not exceed; not a number where there are none, so that no bound holds. */
export const percentile = (figures: readonly number[], part: number): number =>
  figures.toSorted((one, other) => one - other)[Math.floor(figures.length * part)] ?? Number.NaN;
