import { decodeGlobalId, encodeGlobalId } from './id.ts';
import { withListSize } from './price.ts';

/** Options of the Relay plugin: our ids and cursors, and descriptions of the types that the plugin generates. */
export const RELAY_OPTIONS = {
  cursorType: 'String',
  brandLoadedObjects: true,
  encodeGlobalID: encodeGlobalId,
  decodeGlobalID: decodeGlobalId,
  idFieldOptions: {
    description: 'Global id: an opaque string, unique across all types. Pass it to `node`.',
  },
  nodeTypeOptions: { description: 'An object with a global id.' },
  nodeQueryOptions: {
    description:
      'Returns the object with a global id; null if it does not exist or the viewer may not see it.',
    args: { id: { description: 'Global id. Fails with `INVALID_INPUT` if it is malformed.' } },
  },
  nodesQueryOptions: {
    ...withListSize({ argument: 'ids' }),
    description:
      'Returns the objects with the given global ids, in the same order. An entry is null if the object does not exist or the viewer may not see it.',
    args: { ids: { description: 'Global ids. Fails with `INVALID_INPUT` if one is malformed.' } },
  },
  defaultConnectionTypeOptions: { description: 'One page of a list.' },
  defaultEdgeTypeOptions: { description: 'An entry of a list, with its cursor.' },
  nodesOnConnection: {
    // `Connection` has them without edges.
    extensions: { ...withListSize('page').extensions, property: 'nodes' },
    description: 'The entries of this page.',
  },
  edgesFieldOptions: {
    ...withListSize('page'),
    nullable: { list: false, items: false },
    description: 'The entries of this page, each with its cursor.',
  },
  nodeFieldOptions: { nullable: false, description: 'The entry itself.' },
  cursorFieldOptions: {
    description:
      'Position of the entry in the list, as an opaque string. Pass it to `after` or `before`.',
  },
  pageInfoTypeOptions: {
    description: 'Cursors of a page, and whether the list has entries before and after it.',
  },
  pageInfoFieldOptions: {
    description: 'Cursors of this page, and whether the list has entries before and after it.',
  },
  hasNextPageFieldOptions: { description: 'Whether there are more entries after this page.' },
  hasPreviousPageFieldOptions: { description: 'Whether there are more entries before this page.' },
  startCursorFieldOptions: {
    description: 'Cursor of the first entry on this page; null if the page is empty.',
  },
  endCursorFieldOptions: {
    description: 'Cursor of the last entry on this page; null if the page is empty.',
  },
  firstArgOptions: {
    description:
      'Maximum number of entries to return, counted from the start of the list: 0 to 200, and 0 to 1,000 for `Query.folders`. Defaults to 50. Fails with `INVALID_INPUT` if it is out of range or if `last` is given too.',
  },
  afterArgOptions: {
    description:
      'Returns only entries after this cursor. Fails with `INVALID_INPUT` if the cursor comes from another list or order.',
  },
  lastArgOptions: {
    description:
      'Maximum number of entries to return, counted from the end of the list: 0 to 200, and 0 to 1,000 for `Query.folders`. Fails with `INVALID_INPUT` if it is out of range or if `first` is given too.',
  },
  beforeArgOptions: {
    description:
      'Returns only entries before this cursor. Fails with `INVALID_INPUT` if the cursor comes from another list or order.',
  },
} as const;
