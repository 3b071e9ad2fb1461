import type { FieldRef } from '@pothos/core';
import type { Types } from './mutation.ts';

type Scalar = 'String' | 'Int' | 'Boolean' | 'JSON' | 'DateTime' | 'BigInt' | 'URL' | 'UUID';
type Kind = 'Object' | 'Interface';
type Builder<Shape, Of extends Kind> = PothosSchemaTypes.FieldBuilder<Types, Shape, Of>;

/** A description for each property of these types, by the name of the property. */
type Descriptions<Shape, Value> = {
  [Name in keyof Shape as Shape[Name] extends Value ? Name : never]?: string;
};

/** Exposes properties that are never null as fields of the same names. */
export function expose<Shape, Of extends Kind, Type extends Scalar>(
  t: Builder<Shape, Of>,
  type: Type,
  descriptions: Descriptions<Shape, Types['outputShapes'][Type]>,
) {
  return exposeEach(t, { type, nullable: false }, descriptions);
}

/** Exposes properties that may be null as fields of the same names. */
export function exposeNullable<Shape, Of extends Kind, Type extends Scalar>(
  t: Builder<Shape, Of>,
  type: Type,
  descriptions: Descriptions<Shape, Types['outputShapes'][Type] | null>,
) {
  return exposeEach(t, { type, nullable: true }, descriptions);
}

function exposeEach<Shape, Of extends Kind>(
  t: Builder<Shape, Of>,
  options: { type: Scalar; nullable: boolean },
  descriptions: object,
): Record<string, FieldRef<Types, unknown, Of>> {
  const fields = Object.entries(descriptions).map(([name, description]) => [
    name,
    // The callers have checked the names; the types of Pothos cannot be resolved for any `Shape`.
    t.expose(name as never, { ...options, description } as never),
  ]);
  return Object.fromEntries(fields);
}
