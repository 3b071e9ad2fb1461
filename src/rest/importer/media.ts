import type { FastifyReply } from 'fastify';
import {
  countMatchingFiles,
  FILE_FIELDS,
  type FileField,
  findResourceFile,
  openResourceFile,
  type ResourceKey,
  searchFiles,
} from '../../domain/file/resource.ts';
import { pathParameter } from '../../http/dialect.ts';
import { sendFile } from '../../http/file-response.ts';
import { type DocumentAnswer, toIncluded } from './document.ts';
import { parseFlag } from './field-value.ts';
import { parseFieldset, parseIncluded } from './fieldset.ts';
import { answerList, toFilters } from './list.ts';
import { MEDIA_TYPE, toMediaObject } from './media-shape.ts';
import { readAll } from './problem.ts';
import { lastValue, type QueriedCall } from './query.ts';

/** Contract §4.1. What it shows as `meta` can be neither filtered nor sorted by. */
const FIELDS = {
  id: 'name',
  resource: 'resource',
  key: 'key',
  filename: 'filename',
  size: 'size_bytes',
  mime_type: 'mime_type',
  created_by: 'created_by',
  created_role: 'created_role',
  public: 'is_public',
  created_at: 'created_at',
  updated_at: 'updated_at',
  project_id: 'project_id',
  checksum: 'md5',
} as const satisfies Record<string, FileField>;

const TYPE = {
  name: MEDIA_TYPE,
  filters: toFilters<FileField>(FIELDS, FILE_FIELDS),
  // The same order, out of an index that is there anyway.
  sorts: { ...FIELDS, id: 'uuid' as const },
};

/** `GET /medias`: contract §4.2. */
export function listMedias(call: QueriedCall): Promise<DocumentAnswer> {
  const { ctx } = call;
  return answerList<FileField, Awaited<ReturnType<typeof findResourceFile>>>(call, {
    ...TYPE,
    search: (search) => searchFiles(ctx, search),
    count: (conditions) => countMatchingFiles(ctx, conditions),
    show: async (files, fieldset) => files.map((file) => toMediaObject(file, fieldset)),
  });
}

/** `GET /medias/info/{resource}(/{key})?`: contract §4.3. */
export async function showMedia(call: QueriedCall): Promise<DocumentAnswer> {
  const { fieldset, isIncluded } = readAll({
    fieldset: () => parseFieldset(call.query, MEDIA_TYPE),
    isIncluded: () => parseIncluded(call.query),
  });
  const file = await findResourceFile(call.ctx, toResourceKey(call));
  const document = { data: toMediaObject(file, fieldset), ...toIncluded(isIncluded) };
  return { status: 200, body: document, isCacheable: true };
}

/** §4.4: never what another may see; asked for anew, as a file can be replaced or deleted under its URL. */
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

/** §4.3: the key of the path wins over the query's; without either it is the original. */
function toResourceKey(call: QueriedCall): ResourceKey {
  const key = pathParameter(call, 'key') || (lastValue(call.query, 'key') ?? '');
  return { resource: pathParameter(call, 'resource'), key };
}
