import {
  type GraphQLAbstractType,
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLSchema,
  isObjectType,
} from 'graphql';
import { nameOf, type PlannedField } from './plan.ts';

/**
 * Returns the object type whose name a type resolver has returned. Throws a GraphQLError if that is not the name of a
 * possible type of the abstract type.
 */
export function runtimeType(
  name: unknown,
  abstractType: GraphQLAbstractType,
  field: PlannedField,
  schema: GraphQLSchema,
): GraphQLObjectType {
  if (typeof name !== 'string') throw new GraphQLError(withoutName(name, abstractType, field));
  const type = schema.getType(name);
  if (isObjectType(type) && schema.isSubType(abstractType, type)) return type;
  throw new GraphQLError(
    isObjectType(type)
      ? `Runtime Object type "${name}" is not a possible type for "${abstractType}".`
      : `Abstract type "${abstractType}" was resolved to a ${
          type === undefined
            ? `type "${name}" that does not exist inside the schema`
            : `non-object type "${name}"`
        }.`,
  );
}

/** Throws a GraphQLError unless `isTypeOf` of the type has returned true. */
export function checkType(isOfType: unknown, type: GraphQLObjectType): void {
  if (!isOfType) throw new GraphQLError(`Expected value of type "${type}".`);
}

function withoutName(
  name: unknown,
  abstractType: GraphQLAbstractType,
  field: PlannedField,
): string {
  if (isObjectType(name)) {
    return 'Support for returning GraphQLObjectType from resolveType was removed in graphql-js@16.0.0 please return type name instead.';
  }
  const start = `Abstract type "${abstractType}" must resolve to an Object type at runtime for field "${nameOf(field)}"`;
  if (name !== undefined && name !== null)
    return `${start}, received a value of type ${typeof name}.`;
  return `${start}. Either the "${abstractType}" type should provide a "resolveType" function or each possible type should provide an "isTypeOf" function.`;
}
