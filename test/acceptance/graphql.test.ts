import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { CompleteUploadDocument, UploadChunkDocument } from '../support/document.ts';
import { type GraphqlAnswer, graphql, succeed } from '../support/graphql.ts';
import { makePhoto } from '../support/photo.ts';
import { withDataDir, withServerProcess } from '../support/process.ts';

const ADMIN_KEY = 'the-admin-key-of-the-test';
const CHUNK_BYTES = 1024 * 1024;
const ERROR = '... on Error { code message }';

test('a media item lives its whole life in GraphQL alone', () =>
  withDataDir((TRIVIUM_DATA_DIR) =>
    withServerProcess({ TRIVIUM_DATA_DIR, TRIVIUM_ADMIN_KEY: ADMIN_KEY }, async (server) => {
      const authorization = `Bearer ${ADMIN_KEY}`;
      const expectData = async <Data>(asked: Promise<GraphqlAnswer<Data>>) => {
        const { data, errors } = await asked;
        expect(errors).toBeUndefined();
        return data;
      };
      const ask = (query: string) => expectData(graphql(server, query, {}, { authorization }));
      const photo = await makePhoto({ sizeBytesMin: 3_000_000 });
      const md5 = createHash('md5').update(photo.bytes).digest('hex');
      const totalBytes = photo.bytes.length;

      let uploadId = '';
      for (let offset = 0; offset < totalBytes; offset += CHUNK_BYTES) {
        const chunk = photo.bytes.subarray(offset, offset + CHUNK_BYTES);
        const input = { uploadId: uploadId || null, offset, totalBytes, chunk: null };
        const files = { 'input.chunk': new File([Buffer.from(chunk)], 'beach.jpg') };
        const sent = graphql(server, UploadChunkDocument, { input }, { authorization, files });
        const { session } = succeed((await expectData(sent)).uploadChunk);
        expect(session.offset).toBe(offset + chunk.length);
        uploadId = session.uploadId;
      }
      const input = { uploadId, md5 };
      const completed = graphql(server, CompleteUploadDocument, { input }, { authorization });
      const { media } = succeed((await expectData(completed)).completeUpload);
      expect(media.image).toMatchObject({ width: photo.width, height: photo.height });
      const { url } = media.file!;
      const sent = await fetch(url);
      expect(Buffer.from(await sent.arrayBuffer()).equals(photo.bytes)).toBe(true);

      const made = await ask(`mutation {
        holidays: createFolder(input: { name: "Holidays" }) { ... on CreateFolderSuccess { folder { id } } }
        archive: createFolder(input: { name: "Archive" }) { ... on CreateFolderSuccess { folder { id } } }
        createTag(input: { name: "Sunshine" }) { ... on CreateTagSuccess { tag { id } } }
      }`);
      const [holidays, archive] = [made.holidays.folder.id, made.archive.folder.id];
      const filed = await ask(`mutation {
        moveNodes(input: { ids: ["${media.id}"], parentId: "${holidays}" }) {
          ... on MoveNodesSuccess { nodes { parent { name } } } ${ERROR} }
        tagMedia(input: { mediaIds: ["${media.id}"], addTagIds: ["${made.createTag.tag.id}"] }) {
          ... on TagMediaSuccess { medias { tags { name } } } ${ERROR} }
      }`);
      expect(filed.moveNodes.nodes).toEqual([{ parent: { name: 'Holidays' } }]);
      expect(filed.tagMedia.medias).toEqual([{ tags: [{ name: 'Sunshine' }] }]);

      const found = await ask(`{
        byWords: medias(filter: { search: "sunsh beach" }) { totalCount nodes { id } }
        byFolder: medias(filter: { underFolderId: "${holidays}" }) { nodes { id } }
        byTag: tag(by: { id: "${made.createTag.tag.id}" }) { medias { nodes { id } } }
        byMd5: medias(filter: { md5: "${md5}" }) { nodes { id } }
        byUuid: media(by: { uuid: "${media.uuid}" }) { id }
        byNumber: media(by: { databaseId: ${media.databaseId} }) { id file { key sizeBytes } }
      }`);
      const nodes = [{ id: media.id }];
      expect(found).toEqual({
        byWords: { totalCount: 1, nodes },
        byFolder: { nodes },
        byTag: { medias: { nodes } },
        byMd5: { nodes },
        byUuid: { id: media.id },
        byNumber: { id: media.id, file: { key: '', sizeBytes: totalBytes } },
      });

      const moved = await ask(`mutation {
        moveNodes(input: { ids: ["${holidays}"], parentId: "${archive}" }) {
          ... on MoveNodesSuccess { nodes { level } } ${ERROR} }
        updateMedia(input: { id: "${media.id}", title: "The beach", isPublic: true }) {
          ... on UpdateMediaSuccess { media { title isPublic level ancestors { name } } } ${ERROR} }
      }`);
      expect(moved.updateMedia.media).toEqual({
        title: 'The beach',
        isPublic: true,
        level: 3,
        ancestors: [{ name: 'Archive' }, { name: 'Holidays' }],
      });

      const gone = await ask(`mutation {
        deleteFolder(input: { id: "${archive}", recursive: true }) {
          ... on DeleteFolderSuccess { deletedId } ${ERROR} }
      }`);
      expect(gone.deleteFolder).toEqual({ deletedId: archive });
      const { node, medias } = await ask(
        `{ node(id: "${media.id}") { id } medias { totalCount } }`,
      );
      expect([node, medias.totalCount]).toEqual([null, 0]);
      expect((await fetch(url)).status).toBe(404);
    }),
  ));
