import { multipart } from '../multipart.ts';
import { check, chunksOf, type Send } from './sender.ts';

/** The chunk size of SelfCommunity's client, and the largest that its documentation allows. */
export const CHUNK_BYTES = 204_800;

/** Chunks as SelfCommunity's own uploader sends them, then `complete`. */
export function sendAsSelfCommunity(authorization: string): Send {
  return async (connection, payload) => {
    let fields: Record<string, string> = {};
    const total = payload.bytes.length;
    for (const { offset, end, bytes } of chunksOf(payload, CHUNK_BYTES)) {
      const { contentType, body } = multipart(fields, 'image', payload, bytes);
      const range = `bytes ${offset}-${end - 1}/${total}`;
      const headers = { authorization, 'content-type': contentType, 'content-range': range };
      const path = '/api/v2/media/upload/chunk/';
      const answer = await connection.request({ method: 'POST', path, headers, body });
      check(answer.status === 201, 'SelfCommunity chunk', answer);
      const { upload_id, offset: acknowledged } = JSON.parse(answer.body);
      check(Number(acknowledged) === end, 'SelfCommunity offset', answer);
      fields = { upload_id };
    }
    const headers = { authorization, 'content-type': 'application/json' };
    const path = '/api/v2/media/upload/complete/';
    const body = [Buffer.from(JSON.stringify({ ...fields, type: 'file', md5: payload.md5 }))];
    const answer = await connection.request({ method: 'POST', path, headers, body });
    check(answer.status === 201, 'SelfCommunity complete', answer);
    return null;
  };
}
