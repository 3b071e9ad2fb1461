import { type GraphQLOutputType, type GraphQLSchema, getNamedType, isUnionType } from 'graphql';

/**
 * Has each mutation's description name the errors that are members of its result, which so can never be others
 * than those that it has.
 */
export function describeErrors(schema: GraphQLSchema): void {
  for (const mutation of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const errors = errorNames(mutation.type).map((name) => `\`${name}\``);
    mutation.description = `${mutation.description} Errors: ${errors.join(', ')}.`;
  }
}

function errorNames(result: GraphQLOutputType): string[] {
  const type = getNamedType(result);
  const members = isUnionType(type) ? type.getTypes() : [];
  return members
    .filter((member) => member.getInterfaces().some(({ name }) => name === 'Error'))
    .map(({ name }) => name)
    .sort();
}
