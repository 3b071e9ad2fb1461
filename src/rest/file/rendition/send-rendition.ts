import type { FastifyReply } from 'fastify';
import { NotFoundError } from '../../../domain/error.ts';
import { openRendition } from '../../../domain/rendition/rendition.ts';
import { type Call, pathParameter } from '../../../http/dialect.ts';
import { sendFile } from '../../../http/file/file-response.ts';

type Query = Readonly<Record<string, string | string[] | undefined>>;

/** Sends a stored file, or the rendition of it that the query asks for. Throws NotFoundError. */
export function sendRendition(call: Call): Promise<FastifyReply> {
  const { ctx, request, reply } = call;
  const query = request.query as Query;
  const name = pathParameter(call, 'name');
  const open = async () => {
    const opened = await openRendition(ctx, pathParameter(call, 'dir'), name, query);
    if (opened === null) throw new NotFoundError('file', name);
    return opened;
  };
  return sendFile(request, reply, open, { disposition: wantedDisposition(query) });
}

/** Returns `attachment` for `?download`, `?download=1` and `?download=true`. */
function wantedDisposition({ download }: Query) {
  const value = Array.isArray(download) ? download.at(-1) : download;
  return value !== undefined && ['', '1', 'true'].includes(value) ? 'attachment' : 'inline';
}
