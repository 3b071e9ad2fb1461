/**
 * The floor of a server of renditions: sharp, and nothing else. `/cold` renders the image, 500 pixels wide, at each request;
 * `/hot` sends what it has rendered before.
 *
 * Usage: node limit-image-server.ts <image>
 */
import { createServer } from 'node:http';
import sharp from 'sharp';
import { listen } from './listen.ts';

const [path = ''] = process.argv.slice(2);

const render = () => sharp(path).resize(500).jpeg({ quality: 80 }).toBuffer();
const kept = await render();

const server = createServer(async (request, response) => {
  const body = request.url === '/hot' ? kept : await render();
  const headers = { 'content-type': 'image/jpeg', 'content-length': body.length };
  response.writeHead(200, headers).end(body);
});

listen(server);
