/**
 * Bare graphql-yoga with DataLoader and hand-written SQL: what an experienced developer writes in an afternoon. No
 * credential, no limits, no log.
 *
 * Usage: node yoga-server.ts <database> <base of links>
 */
import { createServer } from 'node:http';
import SqliteDatabase from 'better-sqlite3';
import DataLoader from 'dataloader';
import { createSchema, createYoga } from 'graphql-yoga';
import { createTagWriter } from './limit-read.ts';
import { listen } from './listen.ts';

const [path = '', publicUrl = ''] = process.argv.slice(2);
const database = new SqliteDatabase(path, { readonly: true });
const createTag = createTagWriter(path);

interface MediaRow {
  id: number;
  name: string;
  parent_id: number;
  path: string;
  created_at: number;
}
interface FileRow {
  media_id: number;
  mime_type: string;
  width: number | null;
  height: number | null;
  dir: string;
  url_name: string;
}
type Folder = Pick<MediaRow, 'id' | 'name' | 'parent_id'>;
type Tag = { media_id: number; name: string };

const COLUMNS = 'media.id, media.name, media.parent_id, media.path, media.created_at';
const firstOfEach = (kind: string) => `select ${COLUMNS} from json_each(?) part
  join media on media.id in (select id from media where parent_id = part.value and type ${kind}
    order by sort_order, id limit ?) order by media.sort_order, media.id`;

const sql = {
  page: database.prepare<[number, number], MediaRow>(
    `select ${COLUMNS} from media where parent_id = ? and type != 'folder'
     order by created_at desc, id desc limit ?`,
  ),
  media: database.prepare<[number], MediaRow>(`select ${COLUMNS} from media where id = ?`),
  folders: database.prepare<[string], Folder>(
    'select id, name, parent_id from media where id in (select value from json_each(?))',
  ),
  files: database.prepare<[string], FileRow>(
    `select media_id, mime_type, width, height, dir, url_name from file
     where key = '' and media_id in (select value from json_each(?))`,
  ),
  tags: database.prepare<[string], Tag>(
    `select media_tag.media_id, tag.name from media_tag join tag on tag.id = media_tag.tag_id
     where media_tag.media_id in (select value from json_each(?)) order by tag.name_sort, tag.id`,
  ),
  foldersOfEach: database.prepare<[string, number], Folder>(firstOfEach("= 'folder'")),
  mediasOfEach: database.prepare<[string, number], MediaRow>(firstOfEach("!= 'folder'")),
};

function createLoaders() {
  const ofEach = <Row extends { parent_id: number }>(read: (ids: string, first: number) => Row[]) =>
    new DataLoader<{ id: number; first: number }, Row[], number>(
      async (keys) => {
        const rows = read(JSON.stringify(keys.map(({ id }) => id)), keys[0]!.first);
        const byFolder = Map.groupBy(rows, (row) => row.parent_id);
        return keys.map(({ id }) => byFolder.get(id) ?? []);
      },
      { cacheKeyFn: ({ id }) => id },
    );
  return {
    folder: new DataLoader<number, Folder | null>(async (ids) => {
      const rows = new Map(sql.folders.all(JSON.stringify(ids)).map((row) => [row.id, row]));
      return ids.map((id) => rows.get(id) ?? null);
    }),
    file: new DataLoader<number, FileRow | null>(async (ids) => {
      const rows = new Map(sql.files.all(JSON.stringify(ids)).map((row) => [row.media_id, row]));
      return ids.map((id) => rows.get(id) ?? null);
    }),
    tags: new DataLoader<number, Tag[]>(async (ids) => {
      const rows = Map.groupBy(sql.tags.all(JSON.stringify(ids)), (row) => row.media_id);
      return ids.map((id) => rows.get(id) ?? []);
    }),
    folders: ofEach((ids, first) => sql.foldersOfEach.all(ids, first)),
    medias: ofEach((ids, first) => sql.mediasOfEach.all(ids, first)),
  };
}

type Context = { loaders: ReturnType<typeof createLoaders> };
type List = { first: number; orderBy?: object };

const yoga = createYoga<object, Context>({
  logging: false,
  graphiql: false,
  landingPage: false,
  context: () => ({ loaders: createLoaders() }),
  schema: createSchema<Context>({
    typeDefs: /* GraphQL */ `
      input FolderBy { databaseId: Int }
      input MediaBy { databaseId: Int }
      enum Field { CREATED_AT }
      enum Direction { DESC }
      input Order { field: Field!, direction: Direction! }
      interface Error { code: String! message: String! }
      type NameTaken implements Error { code: String! message: String! }
      type Tag { databaseId: Int name: String! }
      type File { mimeType: String! url: String! width: Int height: Int }
      type Media {
        databaseId: Int! name: String! file: File createdAt: String! folder: Folder
        ancestors: [Folder!]! tags: [Tag!]!
      }
      type Medias { nodes: [Media!]! }
      type Folders { nodes: [Folder!]! }
      type Folder { name: String! folders(first: Int): Folders! medias(first: Int, orderBy: Order): Medias! }
      type CreateTagSuccess { tag: Tag! }
      union CreateTagResult = CreateTagSuccess | NameTaken
      input CreateTagInput { name: String! }
      type Query { folder(by: FolderBy!): Folder media(by: MediaBy!): Media rootFolders(first: Int): Folders! }
      type Mutation { createTag(input: CreateTagInput!): CreateTagResult! }
    `,
    resolvers: {
      Query: {
        folder: (_, { by }, { loaders }) => loaders.folder.load(by.databaseId),
        media: (_, { by }) => sql.media.get(by.databaseId),
        rootFolders: (_, { first }) => ({ nodes: sql.foldersOfEach.all('[1]', first) }),
      },
      Mutation: {
        createTag: (_, { input }) => ({
          __typename: 'CreateTagSuccess',
          tag: createTag(input.name),
        }),
      },
      Folder: {
        folders: async ({ id }: Folder, { first }: List, { loaders }) => ({
          nodes: await loaders.folders.load({ id, first }),
        }),
        medias: async ({ id }: Folder, { first, orderBy }: List, { loaders }) => ({
          nodes: orderBy ? sql.page.all(id, first) : await loaders.medias.load({ id, first }),
        }),
      },
      Media: {
        databaseId: ({ id }: MediaRow) => id,
        createdAt: ({ created_at }: MediaRow) => new Date(created_at).toISOString(),
        file: ({ id }: MediaRow, _, { loaders }) => loaders.file.load(id),
        folder: ({ parent_id }: MediaRow, _, { loaders }) => loaders.folder.load(parent_id),
        ancestors: ({ path }: MediaRow, _, { loaders }) =>
          loaders.folder.loadMany(path.split('/').slice(2, -1).map(Number)),
        tags: ({ id }: MediaRow, _, { loaders }) => loaders.tags.load(id),
      },
      File: {
        mimeType: ({ mime_type }: FileRow) => mime_type,
        url: ({ dir, url_name }: FileRow) => `${publicUrl}/media/${dir}/${url_name}`,
      },
    },
  }),
});

listen(createServer(yoga));
