// One declaration file for each entry of `exports`, and few that several of them share, in place of one for each module.
import { join, relative } from 'node:path';

import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';

/** Where the shared ones go. */
const SHARED = 'dist/types';

/**
 * Writes the declarations that the package's entries reach.
 *
 * What the plugin warns of is no harm here: entries may speak of types that they do not export, as the modules before them did.
 *
 * @param {{ exports: Record<string, unknown>, places: { from: string, to: string }[], out: string }} package
 *   `exports` of its package.json; the folders that hold the compiler's declarations, absolute, and their names in the package;
 *   the package's folder
 */
export async function rollUpDeclarations({ exports, places, out }) {
  const entries = Object.values(exports).flatMap((entry) => (entry.types === undefined ? [] : [entry.types]));
  const bundle = await rollup({
    input: Object.fromEntries(entries.map((types) => [nameOf(types), sourceOf(types, places)])),
    external: (id) => !id.startsWith('.') && !id.startsWith('/'),
    plugins: [dts()],
    onwarn: (warning) => {
      if (warning.plugin !== 'dts') throw new Error(warning.message);
    },
  });
  try {
    await bundle.write({
      dir: out,
      format: 'es',
      entryFileNames: '[name].d.ts',
      chunkFileNames: ({ name }) => `${SHARED}/${name.replace(/\.d$/, '')}.d.ts`,
    });
  } finally {
    await bundle.close();
  }
}

/** `./dist/nest/index.d.ts` -> `dist/nest/index` */
function nameOf(types) {
  return types.replace(/^\.\//, '').replace(/\.d\.ts$/, '');
}

function sourceOf(types, places) {
  const place = places.find(({ to }) => types.startsWith(`./${to}/`));
  if (place === undefined)
    throw new Error(`exports name ${types}, which lies in none of the folders that are compiled`);
  return join(place.from, relative(place.to, types));
}
