import type { GraphiQLOptions } from 'graphql-yoga';
import { EXAMPLES } from './example.ts';

/**
 * What the page may load: itself and nothing else. Its scripts, styles, fonts and workers are in the page,
 * and its editor compiles code; pictures that a query answers may be of anywhere.
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

/** The page at `/graphql`: a tab for each example. */
export const GRAPHIQL_OPTIONS: GraphiQLOptions = {
  title: 'Trivium',
  defaultTabs: EXAMPLES,
};

/**
 * A tab that is clicked gets the focus, and with it the place back where an animation once began: the click
 * goes past it.
 */
const TABS_STAY = '<style>.graphiql-tab { transform: none !important; }</style>';

/** The page is a string of some megabytes, and 45 MiB of memory once it is loaded: only where it is asked for. */
export async function renderPage(options: GraphiQLOptions): Promise<string> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  return renderGraphiQL(options).replace('</head>', `${TABS_STAY}</head>`);
}
