import { defineConfig } from 'vite';

/** Builds `@trivium/client`: modules that browsers load as they are, with `spark-md5` inside. */
export default defineConfig({
  root: import.meta.dirname,
  build: {
    lib: {
      entry: { client: 'client.ts', library: 'library.ts', image: 'image.ts' },
      formats: ['es'],
    },
    target: 'es2022',
    sourcemap: true,
    outDir: '../../dist/client',
    emptyOutDir: true,
  },
});
