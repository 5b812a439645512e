import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the parts of a mesh on one machine stand in this repository. */
const bookinfo = path.dirname(fileURLToPath(import.meta.resolve('@seine/bookinfo/package.json')));

export const sampleFiles = {
  /** Services and pods of the sample application. */
  mesh: path.join(bookinfo, 'mesh'),
  /** Its routing rules, which people edit. */
  config: path.join(bookinfo, 'config'),
  program: path.join(bookinfo, 'dist', 'main.js'),
} as const;

/** The ingress gateway, with the sample and without. */
export const gatewayFolder = fileURLToPath(new URL('../../gateway', import.meta.url));
