/** Maximum number of nested levels in an accepted JSON value: writing it back to text recurses once for each. */
export const JSON_LEVELS_MAX = 64;

/** Tells whether a JSON value has more than `JSON_LEVELS_MAX` levels of objects and arrays. */
export function isTooDeep(value: unknown): boolean {
  return !fits(value, JSON_LEVELS_MAX);
}

function fits(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((one) => fits(one, levels - 1));
}
