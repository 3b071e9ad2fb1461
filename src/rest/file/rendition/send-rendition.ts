import type { FastifyReply } from 'fastify';
import { NotFoundError } from '../../../domain/error.ts';
import { openRendition } from '../../../domain/rendition/rendition.ts';
import { type Call, pathParameter } from '../../../http/dialect.ts';
import { sendFile } from '../../../http/file/file-response.ts';
import { dontStore, isSigned, queryOf, wantedDisposition } from '../signed.ts';

/** Sends a stored file, or the rendition of it that the query asks for. Throws NotFoundError, and as `isSigned`. */
export async function sendRendition(call: Call): Promise<FastifyReply> {
  const { ctx, request, reply } = call;
  const query = queryOf(call);
  const [dir, urlName] = [pathParameter(call, 'dir'), pathParameter(call, 'name')];
  const proof = { isSigned: isSigned(call, `/media/${dir}/${urlName}`) };
  const open = async () => {
    const opened = await openRendition(ctx, dir, urlName, query, proof);
    if (opened !== null) return opened;
    dontStore(reply);
    throw new NotFoundError('file', urlName);
  };
  return sendFile(request, reply, open, { disposition: wantedDisposition(query) });
}
