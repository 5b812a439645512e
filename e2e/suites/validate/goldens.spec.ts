import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { defaultMeshConfig } from '@seine/model';
import { compileProxy } from '@seine/pipeline';
import { parseConfig } from '@seine/source-file';
import { compileGolden } from '../../../libs/pipeline/src/testing/golden-case.js';
import { documents, makeCertificate, networkingCases, repositoryRoot, validateConfig } from '../../src/index.js';

jest.setTimeout(60_000);
const features = path.join(repositoryRoot, 'libs/compile/src/features');
const goldens = fs.readdirSync(features).flatMap((feature) => {
  const testdata = path.join(features, feature, 'testdata');
  // What is compiled for gRPC libraries is no Envoy's to judge; e2e/suites/proxyless is where such a library does.
  if (feature === 'proxyless' || !fs.existsSync(testdata)) return [];
  return fs.readdirSync(testdata).map((name) => [feature, name, path.join(testdata, name, 'in.yaml')] as const);
});

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-validate-'));
  makeCertificate(folder);
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

describe('envoy --mode validate takes the goldens', () => {
  it('of which there are many', () => {
    expect(goldens.length).toBeGreaterThan(20);
  });

  it.each(goldens)('%s: %s', async (_feature, _name, file) => {
    const { resources } = compileGolden(fs.readFileSync(file, 'utf8'), file);
    expect(await validateConfig(folder, resources)).toBe('');
  });
});

describe('envoy --mode validate takes what comes of real YAML', () => {
  const sample = ['services.yaml', 'pods.yaml'].map((name) =>
    fs.readFileSync(path.join(repositoryRoot, 'examples/bookinfo/mesh', name), 'utf8'),
  );
  const cases = networkingCases().filter(({ verdict }) => verdict === 'OK');

  // Sidecars behind iptables; e2e/suites/cases has those that bind their listeners.
  it.each(cases.map(({ file, yaml }) => [file, yaml] as const))('%s', async (file, yaml) => {
    const { objects } = parseConfig(documents(...sample, yaml), file);
    const { resources, workloads } = compileProxy({
      objects,
      workload: 'productpage-v1.default',
      config: defaultMeshConfig,
      proxy: { interceptionMode: 'REDIRECT' },
    });
    expect({ resources, workloads }).toMatchObject({ resources: {} });
    expect(await validateConfig(folder, resources!)).toBe('');
  });
});
