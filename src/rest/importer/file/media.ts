import type { FastifyReply } from 'fastify';
import {
  FILE_FIELDS,
  type FileField,
  findResourceFile,
  openResourceFile,
  type ResourceKey,
  searchFiles,
} from '../../../domain/file/resource.ts';
import { pathParameter } from '../../../http/dialect.ts';
import { sendFile } from '../../../http/file/file-response.ts';
import { answerResource, type DocumentAnswer, parseShown } from '../document.ts';
import { answerList, listedType } from '../list.ts';
import { lastValue, parseFlag, type QueriedCall } from '../query.ts';
import { MEDIA_TYPE, toMediaObject } from './media-shape.ts';

/** Contract §4.1. `meta` is shown, but lists cannot be filtered or sorted by it. */
const TYPE = listedType<FileField>(
  MEDIA_TYPE,
  FILE_FIELDS,
  { name: 'id', size_bytes: 'size', is_public: 'public', md5: 'checksum', uuid: null },
  'uuid',
);

/** `GET /medias`: contract §4.2. */
export function listMedias(call: QueriedCall): Promise<DocumentAnswer> {
  const { ctx } = call;
  return answerList<FileField, Awaited<ReturnType<typeof findResourceFile>>>(call, {
    ...TYPE,
    search: (search) => searchFiles(ctx, search),
    show: async (files, fieldset) => files.map((file) => toMediaObject(file, fieldset)),
  });
}

/** `GET /medias/info/{resource}(/{key})?`: contract §4.3. */
export async function showMedia(call: QueriedCall): Promise<DocumentAnswer> {
  const shown = parseShown(call.query, MEDIA_TYPE);
  const file = await findResourceFile(call.ctx, toResourceKey(call));
  return answerResource(toMediaObject(file, shown.fieldset), shown);
}

/**
 * §4.4: private, because another viewer may not see it; revalidated, because a file can be replaced
 * or deleted under its URL.
 */
const CACHE_CONTROL = 'private, max-age=0, must-revalidate';

/** `GET` and `HEAD /medias/files/{resource}(/{key})?`: contract §4.4. */
export function downloadMedia(call: QueriedCall): Promise<FastifyReply> {
  const { ctx, request, reply, query } = call;
  const isAttachment = query.some(
    ({ name, value }) => name === 'download' && (!value || parseFlag(value) === true),
  );
  return sendFile(request, reply, () => openResourceFile(ctx, toResourceKey(call)), {
    disposition: isAttachment ? 'attachment' : 'inline',
    cacheControl: CACHE_CONTROL,
  });
}

/** Returns the key of a file. §4.3: the key in the path wins over the query's; without either it is the original. */
function toResourceKey(call: QueriedCall): ResourceKey {
  const key = pathParameter(call, 'key') || (lastValue(call.query, 'key') ?? '');
  return { resource: pathParameter(call, 'resource'), key };
}
