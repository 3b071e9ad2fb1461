import { PAGE_SIZE_DEFAULT } from '../../../domain/page.ts';
import {
  countFolders,
  FOLDERS_MAX,
  type FolderFilter,
  listFolders,
} from '../../../domain/tree/node-list.ts';
import type { NodeOrder } from '../../../domain/tree/order.ts';
import { toSearchWords } from '../../../lib/search-text.ts';
import { builder } from '../../builder.ts';
import { parseNodeIds, parseOptionalNodeId } from '../../id.ts';
import { pricedByFilter, withPageSize } from '../../price.ts';
import { filteredList, orderInput, withoutNull } from '../filter.ts';
import { FolderConnection, FolderRef } from './folder.ts';

const FolderFilterInput = builder.inputType('FolderFilter', {
  description: 'Filter for a list of folders. A folder must match every given field.',
  fields: (t) => ({
    ids: t.idList({
      description: `Matches folders with one of these global ids, at most ${FOLDERS_MAX}.`,
    }),
    search: t.string({
      description:
        'Words to search for in the name. Each must be the start of a word; in scripts without spaces, such as Chinese, Japanese and Thai, it may be any part of the name. Case and accents are ignored. A search has at most 10 words and 500 characters.',
    }),
    underFolderId: t.id({
      description: 'Matches folders anywhere below the folder with this global id.',
    }),
    parentId: t.id({
      description: 'Matches folders directly in the folder with this global id.',
    }),
  }),
});

const FolderOrderInput = orderInput<Extract<NodeOrder['field'], 'name' | 'created_at'>>(
  'Folder',
  'folders',
  'Ties are broken by `databaseId`.',
  {
    name: 'Orders by name as people do: without case and accents, and with numbers by their values, `c2` before `c10`.',
    created_at: 'Orders by creation time.',
  },
);

const PAGE = { default: PAGE_SIZE_DEFAULT, max: FOLDERS_MAX };

builder.queryField('folders', (t) =>
  t.connection(
    {
      type: FolderRef,
      extensions: {
        ...pricedByFilter(toSearchWords).extensions,
        ...withPageSize(PAGE).extensions,
      },
      description: `Lists all folders, of every level, ordered by name by default. A page has up to ${FOLDERS_MAX.toLocaleString('en')} folders, so that the tree of a folder picker is one request: \`parent { id }\` tells where each belongs. For a viewer limited to start nodes, lists those and the folders below them.`,
      args: {
        filter: t.arg({
          type: FolderFilterInput,
          description:
            'Limits the list to folders that match this filter. Omit it for all folders.',
        }),
        orderBy: t.arg({
          type: FolderOrderInput,
          description: 'Order of the list. Defaults to the name.',
        }),
      },
      resolve: filteredList({ toFilter, list: listFolders, count: countFolders }),
    },
    FolderConnection,
  ),
);

function toFilter(filter?: typeof FolderFilterInput.$inferInput | null): FolderFilter {
  if (!filter) return {};
  const { ids, underFolderId, parentId, ...rest } = filter;
  return {
    ...withoutNull(rest),
    ids: ids ? parseNodeIds(['Folder'], ids, 'ids') : undefined,
    underFolderId: parseOptionalNodeId('Folder', underFolderId, 'underFolderId'),
    parentId: parseOptionalNodeId('Folder', parentId, 'parentId'),
  };
}
