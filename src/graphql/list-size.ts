import { type FieldNode, type GraphQLNamedType, Kind, valueFromASTUntyped } from 'graphql';
import { PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from '../domain/page.ts';

/** The variables of one operation. */
export interface Variables {
  values: Readonly<Record<string, unknown>>;
  /** Set by what reads one: the result holds for these values only. */
  areRead: boolean;
}

/** What is taken for the length of a list that no argument bounds: the tags of a media, its files, its ancestors. */
const LIST_SIZE = 10;

/** By name: the Relay plugin ends every connection's type so, and nothing else is called like that. */
export function isConnection({ name }: GraphQLNamedType): boolean {
  return name.endsWith('Connection');
}

/** A size out of range is refused by the domain, with a better message: here it counts as the nearest in range. */
export function connectionSize(node: FieldNode, variables: Variables): number {
  const size = argument(node, 'first', variables) ?? argument(node, 'last', variables);
  if (typeof size !== 'number') return PAGE_SIZE_DEFAULT;
  return Math.min(Math.max(size, 0), PAGE_SIZE_MAX);
}

/** As long as the list of ids that is looked up. What a mutation changed is as long as its input may be. */
export function listSize(node: FieldNode, parent: GraphQLNamedType, variables: Variables): number {
  const ids = argument(node, 'ids', variables);
  if (Array.isArray(ids)) return ids.length;
  return parent.name.endsWith('Success') ? PAGE_SIZE_MAX : LIST_SIZE;
}

function argument(node: FieldNode, name: string, variables: Variables): unknown {
  const value = node.arguments?.find((argument) => argument.name.value === name)?.value;
  if (!value) return undefined;
  if (value.kind === Kind.VARIABLE) variables.areRead = true;
  return valueFromASTUntyped(value, variables.values);
}
