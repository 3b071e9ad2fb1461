import type { Page, PageArgs } from '../../../domain/page.ts';
import type { MediaSelection } from '../../../domain/tree/facet.ts';
import type { Folder } from '../../../domain/tree/folder.ts';
import type { MediaFilter } from '../../../domain/tree/media-filter.ts';
import { countMediasOfEach, mediasOfEach } from '../../../domain/tree/media-list.ts';
import {
  childrenOfEach,
  countChildrenOfEach,
  countTopLevel,
  listTopLevel,
} from '../../../domain/tree/node-list.ts';
import type { NodeOrder } from '../../../domain/tree/order.ts';
import { builder } from '../../builder.ts';
import { groupConnection, toConnection } from '../../connection.ts';
import { type GroupLoader, groupLoader } from '../../loader.ts';
import { onlyIn, withNeeds } from '../../needs.ts';
import { toOrder } from '../filter.ts';
import { FolderConnection, FolderRef } from './folder.ts';
import { MediaConnection, MediaRef } from './media.ts';
import {
  MEDIA_LIST_PRICE,
  type MediaListArgs,
  mediaListArgs,
  toMediaFilter,
} from './media-filter.ts';
import { TreeNodeConnection, TreeNodeRef } from './tree-node.ts';

interface ChildArgs extends PageArgs {
  kind: 'any' | 'folder';
}

interface MediaArgs extends PageArgs {
  filter: MediaFilter;
  order: NodeOrder | undefined;
}

const children = groupLoader(({ domain }, ids, { kind, ...page }: ChildArgs, only) =>
  childrenOfEach(domain, ids, kind, page, only),
);
const childCounts = groupLoader(({ domain }, ids, { kind }: Pick<ChildArgs, 'kind'>) =>
  countChildrenOfEach(domain, ids, kind),
);
const medias = groupLoader(({ domain }, ids, { filter, order, ...page }: MediaArgs, only) =>
  mediasOfEach(domain, 'folder', ids, page, filter, order, only),
);
const mediaCounts = groupLoader(({ domain }, ids, filter: MediaFilter) =>
  countMediasOfEach(domain, 'folder', ids, filter),
);

builder.objectFields(FolderRef, (t) => ({
  hasChildren: t.boolean({
    ...withNeeds('id'),
    description: 'Whether the folder contains a node that the viewer may see.',
    resolve: async ({ id }, _args, context) => {
      const page = await children.load(context, id, { kind: 'any', first: 1 });
      return (page?.nodes.length ?? 0) > 0;
    },
  }),
  children: t.connection(
    {
      type: TreeNodeRef,
      description: 'Folders and media directly in this folder, ordered by `sortOrder`.',
      ...childConnection(children, 'any'),
    },
    TreeNodeConnection,
  ),
  folders: t.connection(
    {
      type: FolderRef,
      description: 'Folders directly in this folder, ordered by `sortOrder`.',
      ...childConnection(children as GroupLoader<ChildArgs, Page<Folder>>, 'folder'),
    },
    FolderConnection,
  ),
  medias: t.connection(
    {
      type: MediaRef,
      description: 'Media directly in this folder, ordered by `sortOrder` by default.',
      args: mediaListArgs,
      ...groupConnection({
        price: MEDIA_LIST_PRICE,
        toArgs: ({ filter, orderBy, ...page }: MediaListArgs & PageArgs): MediaArgs => ({
          ...page,
          filter: toMediaFilter(filter),
          order: toOrder(orderBy),
        }),
        pages: medias,
        count: (context, id, { filter }) => mediaCounts.load(context, id, filter),
        whole: (id, { filter }): MediaSelection => ({ filter, group: { by: 'folder', id } }),
      }),
    },
    MediaConnection,
  ),
}));

function childConnection<Node>(pages: GroupLoader<ChildArgs, Page<Node>>, kind: ChildArgs['kind']) {
  return groupConnection({
    toArgs: (page: PageArgs): ChildArgs => ({ kind, ...page }),
    pages,
    count: (context, id) => childCounts.load(context, id, { kind }),
  });
}

builder.queryFields((t) => ({
  rootChildren: t.connection(
    {
      type: TreeNodeRef,
      description:
        'Lists the folders and media at the top level, ordered by `sortOrder`. For a viewer limited to start nodes, lists the start nodes.',
      resolve: async (_root, page, { domain }, info) =>
        toConnection(await listTopLevel(domain, 'any', page, onlyIn(info)), () =>
          countTopLevel(domain, 'any'),
        ),
    },
    TreeNodeConnection,
  ),
  rootFolders: t.connection(
    {
      type: FolderRef,
      description:
        'Lists the folders at the top level, ordered by `sortOrder`. For a viewer limited to start nodes, lists the start nodes that are folders.',
      resolve: async (_root, page, { domain }, info) =>
        toConnection(
          (await listTopLevel(domain, 'folder', page, onlyIn(info))) as Page<Folder>,
          () => countTopLevel(domain, 'folder'),
        ),
    },
    FolderConnection,
  ),
}));
