import { expect, vi } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { graphql } from '../support/graphql.ts';

/** Subscribes to every change of media. */
export const MEDIA_CHANGED = 'subscription { mediaChanged { kind id media { title } } }';

/** Runs a mutation with the admin key, and expects success. */
export async function mutate(app: TestApp, field: string) {
  const authorization = `Bearer ${app.adminKey}`;
  const query = `mutation { result: ${field} { __typename ... on Error { message } } }`;
  const { data, errors } = await graphql(app, query, {}, { authorization });
  expect(errors).toBeUndefined();
  expect(data.result.__typename).toMatch(/Success$/);
}

/** Creates a link with a title; `more` is further input. */
export function createUrl(app: TestApp, title: string, more = '') {
  const input = `{ type: URL, url: "https://x.org", title: "${title}" ${more} }`;
  return mutate(app, `createMedia(input: ${input})`);
}

/** The global id of a node. */
export function globalId(type: string, id: number): string {
  return Buffer.from(`${type}:${id}`).toString('base64url');
}

/** Waits until no subscription is left. */
export async function allFreed({ services }: TestApp): Promise<void> {
  await vi.waitFor(() => expect(services.events.subscriberCount()).toBe(0));
}

/** The event of a change to a media item. */
export const change = (kind: string, title?: string) => ({
  event: 'next',
  data: { mediaChanged: { kind, id: expect.any(String), media: title ? { title } : null } },
});

/** The event that ends a stream. */
export const DONE = { event: 'complete', data: undefined };
