import type { FastifyReply } from 'fastify';
import { NotFoundError } from '../../../domain/error.ts';
import { checkSignature, type SignatureState } from '../../../domain/file/signed-url.ts';
import { openRendition } from '../../../domain/rendition/rendition.ts';
import { type Call, pathParameter } from '../../../http/dialect.ts';
import { sendFile } from '../../../http/file/file-response.ts';
import { HttpError } from '../../../http/http-error.ts';

type Query = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Sends a stored file, or the rendition of it that the query asks for. Throws NotFoundError, and HttpError for a signature
 * that is not valid: it is refused for every file, so that a client learns of its fault.
 */
export function sendRendition(call: Call): Promise<FastifyReply> {
  const { ctx, request, reply } = call;
  const query = request.query as Query;
  const [dir, urlName] = [pathParameter(call, 'dir'), pathParameter(call, 'name')];
  const signature = checkSignature(ctx, `/media/${dir}/${urlName}`, query);
  refuseSignature(signature, reply);
  const open = async () => {
    const proof = { isSigned: signature === 'valid' };
    const opened = await openRendition(ctx, dir, urlName, query, proof);
    if (opened !== null) return opened;
    // To another viewer, the file may exist.
    reply.header('cache-control', 'no-store');
    throw new NotFoundError('file', urlName);
  };
  return sendFile(request, reply, open, { disposition: wantedDisposition(query) });
}

function refuseSignature(signature: SignatureState, reply: FastifyReply): void {
  if (signature === 'absent' || signature === 'valid') return;
  reply.header('cache-control', 'no-store');
  if (signature === 'expired') {
    throw new HttpError(403, 'SIGNATURE_EXPIRED', 'The signed URL has expired.');
  }
  const message = 'The signature is not valid for this path and these parameters.';
  throw new HttpError(403, 'SIGNATURE_INVALID', message);
}

/** Returns `attachment` for `?download`, `?download=1` and `?download=true`. */
function wantedDisposition({ download }: Query) {
  const value = Array.isArray(download) ? download.at(-1) : download;
  return value !== undefined && ['', '1', 'true'].includes(value) ? 'attachment' : 'inline';
}
