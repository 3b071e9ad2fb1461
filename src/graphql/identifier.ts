import type { InputFieldMap } from '@pothos/core';
import { builder } from './builder.ts';
import type { InputFields } from './mutation.ts';

/**
 * Defines the input that identifies an object by exactly one field: its global id or one of `others`. `noun` names the
 * object within a description.
 */
export function identifierInput<Fields extends InputFieldMap>(
  name: string,
  noun: string,
  others: (t: InputFields) => Fields,
) {
  return builder.inputType(name, {
    description: `Identifies a ${noun} by exactly one of these fields.`,
    isOneOf: true,
    fields: (t) => ({ id: t.id({ description: `Global id of the ${noun}.` }), ...others(t) }),
  });
}
