import type { GraphiQLOptions } from 'graphql-yoga';
import { EXAMPLES } from './example.ts';

/**
 * Content-Security-Policy of the page. It may load nothing from elsewhere but images, which query results may link to:
 * its scripts, styles, fonts and workers are inline. Its editor compiles code, hence `unsafe-eval`.
 */
export const GRAPHIQL_POLICY = [
  "default-src 'none'",
  "script-src 'unsafe-inline' 'unsafe-eval' blob:",
  "style-src 'unsafe-inline'",
  'font-src data:',
  'img-src data: http: https:',
  'worker-src blob:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Options of the page at `/graphql`: one tab for each example. */
export const GRAPHIQL_OPTIONS: GraphiQLOptions = {
  title: 'Trivium',
  defaultTabs: EXAMPLES,
};

/**
 * Fixes tabs that could not be clicked: the focus moves a tab back to the start of its last animation, so that the
 * click misses it.
 */
const TABS_STAY = '<style>.graphiql-tab { transform: none !important; }</style>';

/**
 * Renders the page. Its package is a string of some megabytes, 45 MiB of memory once loaded: it is imported on demand.
 */
export async function renderPage(options: GraphiQLOptions): Promise<string> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  return renderGraphiQL(options).replace('</head>', `${TABS_STAY}</head>`);
}
