type WithoutUndefined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** Returns the fields that are not undefined, such as the given ones among the columns to write. */
export function withoutUndefined<T extends object>(fields: T): WithoutUndefined<T> {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as WithoutUndefined<T>;
}
