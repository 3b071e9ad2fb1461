import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestApp } from '../../../support/app.ts';
import { sendChunk } from '../../../support/selfcommunity.ts';

export const SECRET = 'the-secret-of-the-tests';
export const HOUR_MS = 3_600_000;
export const UNKNOWN_ID = '0123456789abcdef0123456789abcdef';
export const ANY_MD5 = '0'.repeat(32);
export const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
export const JSON_TYPE = { 'content-type': 'application/json' };

export const ABCD = Buffer.from('abcd');
export const [AB, CD] = [ABCD.subarray(0, 2), ABCD.subarray(2)];
export const [FIRST, SECOND] = [
  { startBytes: 0, totalBytes: 4 },
  { startBytes: 2, totalBytes: 4 },
];

export const MALFORMED_RANGES = [
  'bytes 0-3',
  'bytes 0-3/*',
  'bytes */4',
  'bytes=0-3/4',
  'bytes -3/4',
  'items 0-3/4',
  'bytes 0-3/4, bytes 0-3/4',
  'bytes 3-0/4',
  'bytes 0-4/4',
  'bytes 0-3/0',
  'bytes 99999999999999999999-99999999999999999999/5',
  'x',
  '',
];
export const UNKNOWN_IDS = [
  UNKNOWN_ID,
  UNKNOWN_ID.toUpperCase(),
  'f'.repeat(100_000),
  'null',
  '../../x',
  "' or 1=1",
  'a\0b',
  '日本',
];

/** Files of the blob directory, staged or stored. */
export async function blobs(app: TestApp): Promise<string[]> {
  const directory = join(app.dataDir, 'blobs');
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

/** An upload that stands at byte 2 of 4. */
export async function startUpload(app: TestApp, token?: string): Promise<string> {
  const options = { ...FIRST, ...(token !== undefined && { token }) };
  return (await sendChunk(app, AB, options)).body.upload_id;
}

export function multipart(...parts: string[]): RequestInit {
  const body = [...parts.map((part) => `--b\r\n${part}\r\n`), '--b--\r\n'].join('');
  return { body, headers: { 'content-type': 'multipart/form-data; boundary=b' } };
}

export function fieldPart(name: string, value: string): string {
  return `Content-Disposition: form-data; name="${name}"\r\n\r\n${value}`;
}
