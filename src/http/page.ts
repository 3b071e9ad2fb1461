import type { FastifyReply } from 'fastify';

const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Sends a page for people. `body` is trusted HTML. */
export function sendPage(reply: FastifyReply, body: string): FastifyReply {
  reply.header('content-security-policy', POLICY);
  return reply.type('text/html; charset=utf-8').send(`${HEAD}${body}</html>\n`);
}

const HEAD = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Trivium</title>
<style>body { font: 16px/1.6 system-ui, sans-serif; margin: 3rem auto; max-width: 40rem; padding: 0 1rem }</style>
`;
