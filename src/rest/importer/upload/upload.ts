import type { FastifyRequest } from 'fastify';
import { InvalidInputError } from '../../../domain/error.ts';
import { type Receive, uploadToResource } from '../../../domain/upload/resource-upload.ts';
import { arrivingBytes, bodyType, hasBody } from '../../../http/body.ts';
import { pathParameter } from '../../../http/dialect.ts';
import { type FilePart, readMultipart } from '../../../http/upload/multipart.ts';
import { headerText, parseFilename } from '../../../lib/header-value.ts';
import type { DocumentAnswer } from '../document.ts';
import { toMediaObject } from '../file/media-shape.ts';
import { JSON_API } from '../negotiation.ts';
import { ProblemError } from '../problem.ts';
import { lastValue, type QueriedCall } from '../query.ts';

/** Contract §4.5: the text of the contract names one, the service accepts the other. */
const FILE_PARTS = ['media', 'file'];

/**
 * `POST /medias/files/{resource}(/{key})?`: contract §4.5. Answers with an object for one file, and
 * with an array for several.
 */
export async function uploadMedia(call: QueriedCall): Promise<DocumentAnswer> {
  const { ctx, request, query } = call;
  const resource = pathParameter(call, 'resource');
  const key = pathParameter(call, 'key') || lastValue(query, 'key');
  const fromQuery = { key, projectId: lastValue(query, 'project_id') };
  const receive: Receive =
    bodyType(request.headers) === 'multipart/form-data'
      ? (take) => receiveForm(request, fromQuery, take)
      : (take) => receiveRaw(request, fromQuery, take);
  const files = await uploadToResource(ctx, { resource, key }, receive).catch(renameFields);
  const objects = files.map((file) => toMediaObject(file, null));
  return { status: 200, body: { data: objects.length === 1 ? objects[0] : objects } };
}

type Take = Parameters<Receive>[0];
type Details = Awaited<ReturnType<Receive>>;

async function receiveForm(
  { raw }: FastifyRequest,
  fromQuery: Details,
  take: Take,
): Promise<Details> {
  const fields = await readMultipart(raw, {
    isFile: (name) => FILE_PARTS.includes(name),
    onFile: async (part) => {
      if (isFile(part)) await take({ ...toClaim(part), bytes: part.bytes });
    },
  });
  return {
    key: fromQuery.key ?? fields.get('key') ?? null,
    projectId: fields.get('project_id') ?? fromQuery.projectId,
  };
}

/** Receives a bare body: the whole body is the file, unless it is a form without files or a document of JSON:API. */
async function receiveRaw({ raw }: FastifyRequest, details: Details, take: Take): Promise<Details> {
  const declaredType = bodyType(raw.headers);
  if (!hasBody(raw.headers) || FILELESS.includes(declaredType)) return details;
  const filename = parseFilename(headerText(raw.headers['content-disposition'] ?? '')) ?? '';
  try {
    await take({ filename, declaredType: declaredType || null, bytes: arrivingBytes(raw) });
    return details;
  } finally {
    raw.resume();
  }
}

const FILELESS = ['application/x-www-form-urlencoded', JSON_API];

/**
 * Tells whether a part is a file. §4.5: a part without a file name and without a type is text. Some clients omit the
 * name, but then send the type.
 */
function isFile({ filename, mediaType }: FilePart): boolean {
  return filename !== null || mediaType !== null;
}

function toClaim({ filename, mediaType }: FilePart) {
  return { filename: filename ?? '', declaredType: mediaType };
}

/** Fields of the form, by their names in the domain. The others are in the path. */
const PARTS: Readonly<Record<string, string>> = {
  file: 'file',
  key: 'key',
  projectId: 'project_id',
};

function renameFields(error: unknown): never {
  if (!(error instanceof InvalidInputError)) throw error;
  throw new ProblemError(
    error.issues.map(({ path: [field = ''], code, message }) => {
      const part = PARTS[field];
      const source = part === undefined ? {} : { source: { pointer: `/${part}` } };
      return {
        status: 422,
        code: code.toLowerCase(),
        detail: `${part ?? field}: ${message}`,
        ...source,
      };
    }),
  );
}
