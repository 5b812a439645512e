// Writes the CustomResourceDefinitions (deploy/crds) and reference pages (docs/reference) from the definitions of kinds.
// Build first: npm run build. Files that no kind has any more are removed.
import fs from 'node:fs';
import path from 'node:path';
import { generatedFiles } from '../dist/generate/generated-files.js';

const root = path.resolve(import.meta.dirname, '../../../..');
const files = generatedFiles();
for (const folder of new Set([...files.keys()].map((file) => path.dirname(file)))) {
  fs.mkdirSync(path.join(root, folder), { recursive: true });
  for (const name of fs.readdirSync(path.join(root, folder)))
    if (!files.has(`${folder}/${name}`)) fs.rmSync(path.join(root, folder, name));
}
for (const [file, content] of files) fs.writeFileSync(path.join(root, file), content);
console.log(`${files.size} files written`);
