import { thumbHashToDataURL } from 'thumbhash';

const url = `${import.meta.env.VITE_TRIVIUM_URL ?? 'http://127.0.0.1:4000'}/graphql`;

const IMAGES = `{
  medias(first: 50, filter: { types: [IMAGE] }) {
    totalCount
    nodes {
      name
      altText
      image {
        thumbhash
        url(width: 384, height: 384, fit: COVER, format: AUTO)
        srcset(widths: [192, 384, 576], aspectRatio: 1, format: AUTO)
      }
    }
  }
}`;

const UPLOAD = `mutation ($file: Upload!) {
  uploadFile(input: { file: $file }) {
    ... on UploadFileSuccess { media { id name } }
    ... on Error { code message }
  }
}`;

const CHANGES = 'subscription { mediaChanged { kind id } }';

async function send(body, headers = {}) {
  const response = await fetch(url, { method: 'POST', body, headers });
  const { data, errors } = await response.json();
  if (errors) throw new Error(errors.map(({ message }) => message).join(' '));
  return data;
}

function query(text) {
  return send(JSON.stringify({ query: text }), { 'content-type': 'application/json' });
}

/** Uploads a file in one request: https://github.com/jaydenseric/graphql-multipart-request-spec. */
function upload(file) {
  const body = new FormData();
  body.append('operations', JSON.stringify({ query: UPLOAD, variables: { file: null } }));
  body.append('map', JSON.stringify({ 0: ['variables.file'] }));
  body.append('0', file);
  // Shows that no form of another site sends the request. Any value will do.
  return send(body, { 'x-graphql-yoga-csrf': '1' });
}

function showImage({ name, altText, image: { thumbhash, url, srcset } }) {
  const item = document.createElement('li');
  const image = new Image();
  image.alt = altText ?? '';
  if (thumbhash !== null) {
    const bytes = Uint8Array.from(atob(thumbhash), (char) => char.charCodeAt(0));
    image.style.backgroundImage = `url(${thumbHashToDataURL(bytes)})`;
    // The image may be transparent.
    image.onload = () => image.style.removeProperty('background-image');
  }
  // The width of a column in the page.
  image.sizes = '12rem';
  image.srcset = srcset;
  image.src = url;
  item.append(image, name);
  return item;
}

async function showImages() {
  const { medias } = await query(IMAGES);
  document.querySelector('#total').value = medias.totalCount;
  document.querySelector('#images').replaceChildren(...medias.nodes.map(showImage));
}

document.querySelector('#file').addEventListener('change', async ({ target }) => {
  const message = document.querySelector('#message');
  message.textContent = 'Uploading …';
  try {
    const { uploadFile: result } = await upload(target.files[0]);
    message.textContent = result.media ? `Uploaded ${result.media.name}.` : result.message;
  } catch (error) {
    message.textContent = error.message;
  }
  target.value = '';
});

// Each event is one result of the subscription. The browser connects anew by itself when the stream ends.
const changes = new EventSource(`${url}?query=${encodeURIComponent(CHANGES)}`);
changes.addEventListener('next', showImages);

await showImages();
