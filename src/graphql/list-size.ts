import type { GraphQLField } from 'graphql';

/**
 * The number of items for which a list field is priced: a number, the length of the list in an argument
 * (`{ argument }`), or `'page'`: the field belongs to a connection, and the page size is an argument of the
 * field that returns the connection.
 */
export type ListSize = number | 'page' | { argument: string };

/** The size of lists that declare none, such as the tags, files and ancestors of a media item. */
export const LIST_SIZE_DEFAULT = 10;

/** Returns options for a field that declare its list size. */
export function withListSize(listSize: ListSize) {
  return { extensions: { listSize } };
}

/** Returns the list size that a field declares; 10 if it declares none. */
export function listSizeOf({ extensions }: GraphQLField<unknown, unknown>): ListSize {
  return (extensions.listSize as ListSize | undefined) ?? LIST_SIZE_DEFAULT;
}
