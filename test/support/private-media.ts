import type { TestApp } from './app.ts';
import { fixtureBytes } from './bytes.ts';
import { type GraphqlAnswer, type GraphqlOptions, graphql } from './graphql.ts';
import { makeJwt } from './make.ts';
import { JWT_SECRET, file as toFile } from './request.ts';

/** The fields of a media item that tests of its visibility read. */
export const MEDIA_FIELDS = `id databaseId uuid url visibility isPublic
  file { id url signedUrl } image { url } files { key url }`;

/** A media item, as `uploadAs` returns it. */
export interface UploadedMedia {
  id: string;
  databaseId: number;
  uuid: string;
  url: string;
  visibility: string;
  isPublic: boolean;
  file: { id: string; url: string; signedUrl: string };
  image: { url: string } | null;
  files: { key: string; url: string }[];
}

/** A credential, as a header. */
export type Credential = { authorization: string };

/** Returns the credential of a user. */
export async function bearer(sub: string, claims: object = {}): Promise<Credential> {
  const token = await makeJwt({ sub, role: 'editor', ...claims }, { secret: JWT_SECRET });
  return { authorization: `Bearer ${token}` };
}

/** Returns the credential of the admin. */
export function asAdmin(app: TestApp): Credential {
  return { authorization: `Bearer ${app.adminKey}` };
}

/** Uploads an image with the given input. Throws for an error. */
export async function uploadAs(
  app: TestApp,
  sender: GraphqlOptions,
  input: object = {},
): Promise<UploadedMedia> {
  const query = `mutation ($input: UploadFileInput!) { result: uploadFile(input: $input) {
    ... on UploadFileSuccess { media { ${MEDIA_FIELDS} } } ... on Error { code message } } }`;
  const file = toFile('picture.png', fixtureBytes('picture.png'));
  const answer = await graphql(app, query, { input }, { ...sender, files: { 'input.file': file } });
  return resultOf(answer).media;
}

/** Runs a mutation, given as `name(input: …) { … }`. Throws for an error. */
export async function change(app: TestApp, sender: GraphqlOptions, mutation: string) {
  const query = `mutation { result: ${mutation} }`;
  return resultOf(await graphql(app, query, {}, sender));
}

function resultOf({ data, errors }: GraphqlAnswer) {
  if (errors || data.result.code) throw new Error(JSON.stringify(errors ?? data.result));
  return data.result;
}

/** Returns the path of the unsigned URL of a file. */
export function pathOf(url: string): string {
  return new URL(url).pathname;
}
