import { describeLink, type LinkMetadata } from '../../../domain/tree/link-metadata.ts';
import { findMedia, isPageType } from '../../../domain/tree/media.ts';
import { readStart } from '../../../outbound/body.ts';
import type { Outbound } from '../../../outbound/client.ts';
import { OutboundError } from '../../../outbound/error.ts';
import type { OEmbedAnswer } from '../../../outbound/oembed.ts';
import type { Page } from '../../../outbound/page.ts';
import { knownEndpoint, PROVIDERS } from '../../../outbound/provider.ts';
import { withOutbound } from '../../outbound.ts';
import type { Task } from '../../task.ts';

const TIMEOUT_MS = 20_000;
const HTML_BYTES_MAX = 2 ** 20;
const OEMBED_BYTES_MAX = 256 * 1024;

/** Creates the task `fetch-link`. `providers`: default, the documented endpoints. */
export function createFetchLink(providers = PROVIDERS): Task<'fetch-link'> {
  return async (ctx, { media_uuid }, { signal }) => {
    const media = await findMedia(ctx, { uuid: media_uuid });
    if (media === null || media.url === null || !isPageType(media.type)) return;
    const { url } = media;
    const known = knownEndpoint(url, providers);
    const found = await withOutbound(ctx, (outbound) => find({ outbound, signal }, url, known));
    await describeLink(ctx, media_uuid, found);
  };
}

/**
 * Fetches the metadata of a link: not while the link is created, because the other server may be slow, or down. A
 * link whose page cannot be fetched stays unchanged.
 */
export const fetchLink = createFetchLink();

interface Source {
  outbound: Outbound;
  signal: AbortSignal;
}

/**
 * Finds the metadata of a link. Asks a known provider first: its response is complete, and it often refuses machines
 * that fetch the page.
 */
async function find(source: Source, url: string, known: string | null): Promise<LinkMetadata> {
  const first = known === null ? null : await fetchOEmbed(source, known);
  const page = first?.title ? EMPTY : await fetchPage(source, url);
  const { oembedUrl } = page;
  const second = first === null && oembedUrl !== null ? fetchOEmbed(source, oembedUrl) : null;
  return merge(page, first ?? (await second));
}

const EMPTY: Page = { title: null, description: null, images: [], oembedUrl: null };

function merge(page: Page, answer: OEmbedAnswer | null): LinkMetadata {
  return {
    title: page.title ?? answer?.title ?? null,
    description: page.description ?? answer?.description ?? null,
    images: [...page.images, ...(answer?.images ?? [])],
    oembed: answer?.oembed ?? null,
  };
}

async function fetchPage({ outbound, signal }: Source, from: string): Promise<Page> {
  const { url, header, body, cancel } = await outbound.get(from, {
    timeoutMs: TIMEOUT_MS,
    signal,
    headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.5' },
  });
  const type = header('content-type');
  if (/^image\//i.test(type ?? '')) {
    cancel();
    return { ...EMPTY, images: [{ url: url.href, width: null, height: null }] };
  }
  if (type !== null && !/^(text\/html|application\/xhtml\+xml)\b/i.test(type)) {
    cancel();
    return EMPTY;
  }
  const { decodeHtml } = await import('../../../outbound/html-text.ts');
  const { parsePage } = await import('../../../outbound/page.ts');
  return parsePage(decodeHtml(await readStart(body, HTML_BYTES_MAX), type), url);
}

/** Returns null if the provider fails or its response is of no use: the metadata of the page is enough. */
async function fetchOEmbed(
  { outbound, signal }: Source,
  from: string,
): Promise<OEmbedAnswer | null> {
  const { parseOEmbed } = await import('../../../outbound/oembed.ts');
  try {
    const headers = { accept: 'application/json' };
    const { body } = await outbound.get(from, { timeoutMs: TIMEOUT_MS, signal, headers });
    const bytes = await readStart(body, OEMBED_BYTES_MAX);
    return parseOEmbed(new TextDecoder().decode(bytes));
  } catch (error) {
    if (error instanceof OutboundError) return null;
    throw error;
  }
}
