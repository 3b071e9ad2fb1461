import type { Page, PageArgs } from '../../../domain/page.ts';
import type { Folder } from '../../../domain/tree/folder.ts';
import {
  countMediasOfEach,
  type MediaFilter,
  mediasOfEach,
} from '../../../domain/tree/media-list.ts';
import {
  childrenOfEach,
  countChildrenOfEach,
  countTopLevel,
  listTopLevel,
} from '../../../domain/tree/node-list.ts';
import type { NodeOrder } from '../../../domain/tree/order.ts';
import { builder } from '../../builder.ts';
import { toConnection, toGroupConnection } from '../../connection.ts';
import { groupLoader } from '../../loader.ts';
import { toOrder } from '../filter.ts';
import { FolderConnection, FolderRef } from './folder.ts';
import { MediaConnection, MediaRef } from './media.ts';
import { MEDIA_LIST_PRICE, mediaListArgs, toMediaFilter } from './media-filter.ts';
import { TreeNodeConnection, TreeNodeRef } from './tree-node.ts';

interface ChildArgs extends PageArgs {
  kind: 'any' | 'folder';
}

interface MediaArgs extends PageArgs {
  filter: MediaFilter;
  order: NodeOrder | undefined;
}

const children = groupLoader(({ domain }, ids, { kind, ...page }: ChildArgs) =>
  childrenOfEach(domain, ids, kind, page),
);
const childCounts = groupLoader(({ domain }, ids, { kind }: Pick<ChildArgs, 'kind'>) =>
  countChildrenOfEach(domain, ids, kind),
);
const medias = groupLoader(({ domain }, ids, { filter, order, ...page }: MediaArgs) =>
  mediasOfEach(domain, 'folder', ids, page, filter, order),
);
const mediaCounts = groupLoader(({ domain }, ids, filter: MediaFilter) =>
  countMediasOfEach(domain, 'folder', ids, filter),
);

builder.objectFields(FolderRef, (t) => ({
  hasChildren: t.boolean({
    description: 'Whether the folder contains a node that the viewer may see.',
    resolve: async ({ id }, _args, context) => {
      const page = await children(context, id, { kind: 'any', first: 1 });
      return (page?.edges.length ?? 0) > 0;
    },
  }),
  children: t.connection(
    {
      type: TreeNodeRef,
      description: 'Folders and media directly in this folder, ordered by `sortOrder`.',
      resolve: ({ id }, page, context) =>
        toGroupConnection(children(context, id, { kind: 'any', ...page }), () =>
          childCounts(context, id, { kind: 'any' }),
        ),
    },
    TreeNodeConnection,
  ),
  folders: t.connection(
    {
      type: FolderRef,
      description: 'Folders directly in this folder, ordered by `sortOrder`.',
      resolve: ({ id }, page, context) =>
        toGroupConnection(children(context, id, { kind: 'folder', ...page }) as FolderPage, () =>
          childCounts(context, id, { kind: 'folder' }),
        ),
    },
    FolderConnection,
  ),
  medias: t.connection(
    {
      type: MediaRef,
      ...MEDIA_LIST_PRICE,
      description: 'Media directly in this folder, ordered by `sortOrder` by default.',
      args: mediaListArgs,
      resolve: ({ id }, { filter, orderBy, ...page }, context) => {
        const narrowed = toMediaFilter(filter);
        const args = { ...page, filter: narrowed, order: toOrder(orderBy) };
        return toGroupConnection(medias(context, id, args), () =>
          mediaCounts(context, id, narrowed),
        );
      },
    },
    MediaConnection,
  ),
}));

builder.queryFields((t) => ({
  rootChildren: t.connection(
    {
      type: TreeNodeRef,
      description:
        'Lists the folders and media at the top level, ordered by `sortOrder`. For a viewer limited to start nodes, lists the start nodes.',
      resolve: async (_root, page, { domain }) =>
        toConnection(await listTopLevel(domain, 'any', page), () => countTopLevel(domain, 'any')),
    },
    TreeNodeConnection,
  ),
  rootFolders: t.connection(
    {
      type: FolderRef,
      description:
        'Lists the folders at the top level, ordered by `sortOrder`. For a viewer limited to start nodes, lists the start nodes that are folders.',
      resolve: async (_root, page, { domain }) =>
        toConnection((await listTopLevel(domain, 'folder', page)) as Page<Folder>, () =>
          countTopLevel(domain, 'folder'),
        ),
    },
    FolderConnection,
  ),
}));

/** A page of children of the kind `folder`. */
type FolderPage = Promise<Page<Folder> | undefined>;
