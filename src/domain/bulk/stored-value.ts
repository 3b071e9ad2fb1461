/** The only property of an object that stands for a time in stored values. */
const TIME = '$date';

/**
 * Returns a value as JSON can hold it, whatever its fields are: a time becomes `{ $date: … }`, other names that begin
 * with `$` get another one, and absent fields are left out. `fromStored` returns the value again.
 */
export function toStored(value: unknown): unknown {
  if (value instanceof Date) return { [TIME]: value.toISOString() };
  if (Array.isArray(value)) return value.map(toStored);
  if (!isObject(value)) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(
    fields.map(([name, field]) => [name.startsWith('$') ? `$${name}` : name, toStored(field)]),
  );
}

/** Returns the value that `toStored` has converted. */
export function fromStored(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromStored);
  if (!isObject(value)) return value;
  const { [TIME]: time } = value;
  if (typeof time === 'string') return new Date(time);
  const fields = Object.entries(value);
  return Object.fromEntries(
    fields.map(([name, field]) => [name.startsWith('$') ? name.slice(1) : name, fromStored(field)]),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
