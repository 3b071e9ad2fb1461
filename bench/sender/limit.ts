import { randomUUID } from 'node:crypto';
import { check, chunksOf, type Send } from './sender.ts';

export type LimitVariant = 'bytes' | 'row' | 'durable';

/** Uploads a file to `limit-upload-server.ts`, in chunks. */
export function sendToLimit(variant: LimitVariant, chunkBytes = Number.POSITIVE_INFINITY): Send {
  return async (connection, payload) => {
    const id = randomUUID();
    for (const { offset, end, bytes, isLast } of chunksOf(payload, chunkBytes)) {
      const path = `/${variant}/${id}?offset=${offset}${isLast ? '&last' : ''}`;
      const answer = await connection.request({ method: 'POST', path, body: [bytes] });
      const md5 = isLast && variant !== 'bytes' ? payload.md5 : null;
      const expected = JSON.stringify({ offset: end, md5 });
      check(answer.status === 201 && answer.body === expected, 'limit server', answer);
    }
    return `/${id}`;
  };
}
