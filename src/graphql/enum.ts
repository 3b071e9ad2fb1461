import { builder } from './builder.ts';
import type { Types } from './mutation.ts';

/**
 * Defines an enum with a name for each string of a union: the string in upper case. Takes a description for each
 * string, in any order; a description that is missing does not compile.
 */
export function enumOf<Value extends string>(
  name: string,
  description: string,
  descriptions: Readonly<Record<Value, string>>,
): PothosSchemaTypes.EnumRef<Types, Value> {
  const values = Object.entries<string>(descriptions).map(([value, description]) => [
    value.toUpperCase(),
    { value, description },
  ]);
  return builder.enumType(name, { description, values: Object.fromEntries(values) });
}
