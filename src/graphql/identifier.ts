import type { InputFieldMap, ShapeFromTypeParam, TypeParam } from '@pothos/core';
import type { Context } from '../domain/context.ts';
import { builder } from './builder.ts';
import type { InputFields, Types } from './mutation.ts';
import { onlyIn, type Properties } from './needs.ts';

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

interface ObjectQuery<Type extends TypeParam<Types>, By> {
  type: Type;
  /** The input of `identifierInput`. */
  by: PothosSchemaTypes.InputObjectRef<Types, By>;
  /** Names the object within a description. */
  noun: string;
  description: string;
  /** `only` names the properties that the operation needs. */
  find: (
    domain: Context,
    by: By,
    only: Properties,
  ) => Promise<ShapeFromTypeParam<Types, Type, true>>;
}

/** Defines the query `name`, which returns the object that its argument `by` identifies, or null. */
export function objectQuery<Type extends TypeParam<Types>, By>(
  name: string,
  { type, by, noun, description, find }: ObjectQuery<Type, By>,
): void {
  builder.queryField(name, (t) =>
    t.field({
      type,
      nullable: true,
      description,
      args: { by: t.arg({ type: by, required: true, description: `Identifies the ${noun}.` }) },
      // The type of the options depends on whether `Type` is a list, which is not known here.
      resolve: (_root, args, { domain }, info): never =>
        find(domain, (args as { by: By }).by, onlyIn(info)) as never,
    }),
  );
}
