import type { Embed, OEmbed } from '../../../domain/tree/media.ts';
import { builder } from '../../builder.ts';

/** What of another system a media stands for. */
export const EmbedRef = builder.objectRef<Embed>('Embed').implement({
  description: 'Something of another system.',
  fields: (t) => ({
    embedType: t.exposeString('type', { description: 'What it is there.' }),
    embedId: t.exposeString('id', { description: 'Its id there.' }),
    url: t.expose('url', { type: 'URL', nullable: true, description: 'Where it is.' }),
    metadata: t.expose('metadata', { type: 'JSON', description: 'An object, as it was given.' }),
  }),
});

/** What the provider of a link said of it. */
export const OEmbedRef = builder.objectRef<OEmbed>('OEmbed').implement({
  description: 'What the provider of a link says of it: https://oembed.com.',
  fields: (t) => ({
    type: t.exposeString('type', { description: 'photo, video, link or rich.' }),
    url: t.expose('url', { type: 'URL', nullable: true, description: 'Of a photo.' }),
    width: t.exposeInt('width', { nullable: true, description: 'In pixels.' }),
    height: t.exposeInt('height', { nullable: true, description: 'In pixels.' }),
    duration: t.exposeInt('durationSeconds', { nullable: true, description: 'In seconds.' }),
    html: t.exposeString('html', {
      nullable: true,
      description: 'To show it with. Of another site: put it in a sandboxed frame.',
    }),
  }),
});
