// What the examples share: where files lie.
import { fileURLToPath } from 'node:url';

/** A worker of the examples. */
export const worker = (name) => fileURLToPath(new URL(`workers/${name}`, import.meta.url));

/** A file of the demo's data. */
export const data = (name) => fileURLToPath(new URL(`../apps/demo/data/${name}`, import.meta.url));

/** Where Python finds packages that are not in its own folders, such as msgpack and grpcio. */
export const packages = process.env.PYTHONPATH === undefined ? {} : { PYTHONPATH: process.env.PYTHONPATH };
