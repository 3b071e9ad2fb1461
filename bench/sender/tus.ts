import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Answer } from '../connection.ts';
import { check, chunksOf, type Send } from './sender.ts';

const PROTOCOL = { 'tus-resumable': '1.0.0' };

/**
 * Uploads a file to `tus-server.ts` as the clients of https://tus.io/protocols/resumable-upload (1.0.0) do by default:
 * a POST creates the upload, and a PATCH sends each chunk. The server returns no digest, so this checks the size of the
 * file in the server's directory, which takes microseconds.
 */
export function sendToTus(directory: string, chunkBytes = Number.POSITIVE_INFINITY): Send {
  return async (connection, payload) => {
    const totalBytes = payload.bytes.length;
    const headers = { ...PROTOCOL, 'upload-length': String(totalBytes) };
    const created = await connection.request({ method: 'POST', path: '/files', headers });
    const location = headerOf(created, 'location');
    checkAnswer(created.status === 201 && location !== undefined, 'tus POST', created);
    const path = new URL(location!).pathname;
    for (const { offset, end, bytes } of chunksOf(payload, chunkBytes)) {
      const headers = {
        ...PROTOCOL,
        'upload-offset': String(offset),
        'content-type': 'application/offset+octet-stream',
      };
      const answer = await connection.request({ method: 'PATCH', path, headers, body: [bytes] });
      const acknowledged = headerOf(answer, 'upload-offset');
      checkAnswer(answer.status === 204 && acknowledged === String(end), 'tus PATCH', answer);
    }
    const { size } = statSync(join(directory, basename(path)));
    if (size !== totalBytes) throw new Error(`tus stored ${size} bytes of ${totalBytes}`);
    return path;
  };
}

function headerOf({ head }: Answer, name: string): string | undefined {
  return new RegExp(`\\r\\n${name}: *(\\S+)`, 'i').exec(head)?.[1];
}

/** What an answer of tus says is in its head. */
function checkAnswer(isGood: boolean, what: string, { status, head, body }: Answer): void {
  check(isGood, what, { status, body: `${head}\n${body}` });
}
