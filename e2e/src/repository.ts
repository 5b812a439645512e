import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout. */
export const repositoryRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/**
 * The folder of real YAML that tests are pointed at: SEINE_CASES, or `shared/cases` beside the checkout.
 * @throws Error when it is not there
 */
export function casesFolder(): string {
  const folder = process.env['SEINE_CASES'] ?? path.resolve(repositoryRoot, '../shared/cases');
  if (!fs.existsSync(path.join(folder, 'index.tsv'))) throw new Error(`no index.tsv in ${folder}; set SEINE_CASES`);
  return folder;
}
