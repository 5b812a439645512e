// Makes src/gen from the pinned xds-protos wheel: download (hash-checked), extract, protoc-gen-es.
// Nothing of it is committed; a stamp of the inputs makes a second run a no-op.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as wkt from '@bufbuild/protobuf/wkt';

const here = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const cache = path.join(here, '.cache');
const out = path.join(here, 'src/gen');
const require = createRequire(import.meta.url);
const pluginRoot = path.dirname(require.resolve('@bufbuild/protoc-gen-es/package.json'));
const plugin = path.join(pluginRoot, 'bin/protoc-gen-es');

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { maxBuffer: 1 << 28, ...options });
  if (result.error?.code === 'ENOENT')
    throw new Error(`${command} is not installed; Python 3.10 or later with pip is needed`);
  if (result.status !== 0) throw new Error(`${command} ${args[0]} failed:\n${result.stderr}`);
  return result.stdout;
}

function stampOf() {
  const hash = createHash('sha256');
  for (const file of ['protos.lock.txt', 'roots.txt', 'tools/extract.py', 'tools/generate.mjs'])
    hash.update(fs.readFileSync(path.join(here, file)));
  hash.update(fs.readFileSync(path.join(pluginRoot, 'package.json')));
  return hash.digest('hex');
}

/** A CodeGeneratorRequest is what protoc hands to its plugins; see google/protobuf/compiler/plugin.proto. */
function generate(descriptorSet) {
  const set = fromBinary(wkt.FileDescriptorSetSchema, descriptorSet);
  const known = [];
  const visit = (file) => {
    for (const dependency of file.dependencies) visit(dependency);
    if (!known.includes(file.proto)) known.push(file.proto);
  };
  for (const file of Object.values(wkt)) if (file?.kind === 'file') visit(file);
  const request = create(wkt.CodeGeneratorRequestSchema, {
    fileToGenerate: set.file.map((file) => file.name),
    parameter: 'target=ts,import_extension=js',
    protoFile: [...known, ...set.file],
  });
  const answer = run(process.execPath, [plugin], { input: toBinary(wkt.CodeGeneratorRequestSchema, request) });
  const response = fromBinary(wkt.CodeGeneratorResponseSchema, new Uint8Array(answer));
  if (response.error) throw new Error(response.error);
  return response.file;
}

/** A module that names every generated file, for a registry that opens any `Any`. */
function listOf(files) {
  const names = files.map((file) => ({
    module: file.name.replace(/\.ts$/, '.js'),
    id: `file_${file.name.replace(/_pb\.ts$/, '').replace(/[/.-]/g, '_')}`,
  }));
  const imports = names.map(({ module, id }) => `import { ${id} } from './${module}';`);
  return `${imports.join('\n')}\nexport const files = [\n${names.map(({ id }) => `  ${id},`).join('\n')}\n];\n`;
}

/** All types, also those without a module of their own, for registries that are made when one of them is asked for. */
function descriptorsModule(descriptorSet) {
  const text = deflateRawSync(descriptorSet, { level: 9 }).toString('base64');
  return `/** A FileDescriptorSet in dependency order, deflated, in base64. */\nexport const descriptors =\n  '${text}';\n`;
}

const stamp = stampOf();
const stampFile = path.join(out, '.stamp');
if (fs.existsSync(stampFile) && fs.readFileSync(stampFile, 'utf8') === stamp) process.exit(0);
try {
  fs.mkdirSync(cache, { recursive: true });
  const python = process.env.PYTHON ?? 'python3';
  if (!fs.readdirSync(cache).some((name) => name.startsWith('xds_protos-1.85.0')))
    run(python, [
      '-m',
      'pip',
      'download',
      '-q',
      '--disable-pip-version-check',
      '--no-deps',
      '--only-binary=:all:',
      '--require-hashes',
      '-r',
      path.join(here, 'protos.lock.txt'),
      '-d',
      cache,
    ]);
  const wheel = fs.readdirSync(cache).find((name) => name.startsWith('xds_protos'));
  const [binpb, all] = ['descriptors.binpb', 'all.binpb'].map((name) => path.join(cache, name));
  const inputs = [path.join(cache, wheel), path.join(here, 'roots.txt')];
  run(python, [path.join(here, 'tools/extract.py'), ...inputs, binpb, all]);
  const files = generate(fs.readFileSync(binpb));
  fs.rmSync(out, { recursive: true, force: true });
  for (const file of files) {
    const target = path.join(out, file.name);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, file.content);
  }
  fs.writeFileSync(path.join(out, 'all.ts'), listOf(files));
  fs.writeFileSync(path.join(out, 'descriptors.ts'), descriptorsModule(fs.readFileSync(all)));
  fs.writeFileSync(stampFile, stamp);
  console.log(`envoy messages: ${files.length} files generated`);
} catch (error) {
  console.error(`generate: ${error.message}`);
  process.exit(1);
}
