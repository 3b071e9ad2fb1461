import type { FastifyReply } from 'fastify';
import { NotFoundError } from '../../domain/error.ts';
import { openVersion } from '../../domain/file/version.ts';
import { type Call, pathParameter } from '../../http/dialect.ts';
import { sendFile } from '../../http/file/file-response.ts';
import { dontStore, isSigned, queryOf, wantedDisposition } from './signed.ts';

/** Sends a version of a file. Only a signed URL finds one. Throws NotFoundError, and as `isSigned`. */
export async function sendVersion(call: Call): Promise<FastifyReply> {
  const { ctx, request, reply } = call;
  const [dir, uuid] = [pathParameter(call, 'dir'), pathParameter(call, 'uuid')];
  const isFound = isSigned(call, `/media/${dir}/version/${uuid}`);
  const open = async () => {
    const opened = isFound ? await openVersion(ctx, { dir, uuid }) : null;
    if (opened !== null) return opened;
    dontStore(reply);
    throw new NotFoundError('version', uuid);
  };
  return sendFile(request, reply, open, { disposition: wantedDisposition(queryOf(call)) });
}
