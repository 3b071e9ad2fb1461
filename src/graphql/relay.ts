import { decodeGlobalId, encodeGlobalId } from './id.ts';

/** Options of the Relay plugin: ids and cursors of ours, and the manual of what the plugin generates. */
export const RELAY_OPTIONS = {
  cursorType: 'String',
  brandLoadedObjects: true,
  encodeGlobalID: encodeGlobalId,
  decodeGlobalID: decodeGlobalId,
  idFieldOptions: { description: 'Global id: opaque, unique among everything, for `node`.' },
  nodeTypeOptions: { description: 'Anything that has a global id.' },
  nodeQueryOptions: {
    description: 'Anything by its global id; null if it is not there, or may not be seen.',
    args: { id: { description: 'Global id; `INVALID_INPUT` for what is none.' } },
  },
  nodesQueryOptions: {
    description: 'Many by their global ids, in their order; null for what is not there.',
    args: { ids: { description: 'Global ids; `INVALID_INPUT` for what is none.' } },
  },
  defaultConnectionTypeOptions: { description: 'A page of a list.' },
  defaultEdgeTypeOptions: { description: 'A node and its place in the list.' },
  nodesOnConnection: { description: 'The nodes of this page.' },
  edgesFieldOptions: {
    nullable: { list: false, items: false },
    description: 'The nodes of this page, each with its cursor.',
  },
  nodeFieldOptions: { nullable: false, description: 'The node itself.' },
  cursorFieldOptions: { description: 'Opaque place of the node, for `after` and `before`.' },
  pageInfoTypeOptions: { description: 'Where a page lies in its list.' },
  pageInfoFieldOptions: { description: 'Where this page lies in the list.' },
  hasNextPageFieldOptions: { description: 'Whether the list goes on after this page.' },
  hasPreviousPageFieldOptions: { description: 'Whether the list has something before this page.' },
  startCursorFieldOptions: { description: 'Cursor of the first node; null on an empty page.' },
  endCursorFieldOptions: { description: 'Cursor of the last node; null on an empty page.' },
  firstArgOptions: {
    description: 'How many nodes from the start: 0 to 200, default 50; else `INVALID_INPUT`.',
  },
  afterArgOptions: {
    description:
      'Only what comes after this cursor; `INVALID_INPUT` for one of another list or order.',
  },
  lastArgOptions: {
    description: 'How many nodes from the end, instead of `first`: 0 to 200; else `INVALID_INPUT`.',
  },
  beforeArgOptions: {
    description:
      'Only what comes before this cursor; `INVALID_INPUT` for one of another list or order.',
  },
} as const;
