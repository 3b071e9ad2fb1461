import type { Embed, OEmbed } from '../../../domain/tree/media.ts';
import { builder } from '../../builder.ts';
import { expose, exposeNullable } from '../../expose.ts';

/** A reference from a media item to an object in another system. */
export const EmbedRef = builder.objectRef<Embed>('Embed').implement({
  description: 'A reference to an object in another system.',
  fields: (t) => ({
    embedType: t.exposeString('type', { description: 'Type of the object in the other system.' }),
    embedId: t.exposeString('id', { description: 'Id of the object in the other system.' }),
    ...exposeNullable(t, 'URL', { url: 'URL of the object. Null if none was given.' }),
    ...expose(t, 'JSON', {
      metadata: 'Metadata of the object: a JSON object, stored as given.',
    }),
  }),
});

/** The oEmbed response of the provider of a link. */
export const OEmbedRef = builder.objectRef<OEmbed>('OEmbed').implement({
  description: 'oEmbed data from the provider of a linked page: see https://oembed.com.',
  fields: (t) => ({
    type: t.exposeString('type', { description: 'Type: `photo`, `video`, `link` or `rich`.' }),
    ...exposeNullable(t, 'URL', {
      url: 'URL of the image, for the type `photo`. Null if the provider sent none.',
    }),
    ...exposeNullable(t, 'Int', {
      width: 'Width in pixels. Null if the provider sent none.',
      height: 'Height in pixels. Null if the provider sent none.',
    }),
    duration: t.exposeInt('durationSeconds', {
      nullable: true,
      description: 'Duration in seconds. Null if the provider sent none.',
    }),
    ...exposeNullable(t, 'String', {
      html: 'HTML that displays the page. It comes from another site: show it in a sandboxed iframe only. Null if the provider sent none.',
    }),
  }),
});
