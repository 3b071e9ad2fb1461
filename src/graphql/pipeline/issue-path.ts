import {
  type ExecutionArgs,
  type FieldNode,
  type GraphQLArgument,
  GraphQLError,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { InvalidInputError } from '../../domain/error.ts';
import { withArguments } from '../refusal.ts';

/**
 * Returns an error of a field about its input with whole paths, from the arguments of the field. Other errors are
 * returned as they are.
 */
export function withWholePaths(error: GraphQLError, args: ExecutionArgs): GraphQLError {
  const { originalError, nodes = null, message, path = null } = error;
  const node = nodes?.[0];
  if (!(originalError instanceof InvalidInputError) || node?.kind !== 'Field') return error;
  const whole = withArguments(originalError, argumentsOf(node, args));
  return new GraphQLError(message, { nodes, path, originalError: whole });
}

/** Returns the arguments that a field of the document takes. */
function argumentsOf(field: FieldNode, { schema, document }: ExecutionArgs) {
  const types = new TypeInfo(schema);
  let found: readonly GraphQLArgument[] = [];
  const look = (node: FieldNode) => {
    if (node === field) found = types.getFieldDef()?.args ?? [];
  };
  visit(document, visitWithTypeInfo(types, { Field: look }));
  return found;
}
