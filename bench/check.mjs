// npm run bench -- check: a mixer that is asked about requests, by the rules that users of the first Istio had.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { withMixer } from './mixer.mjs';

const document = (kind, name, spec, namespace = 'istio-system') =>
  JSON.stringify({ apiVersion: 'config.istio.io/v1alpha2', kind, metadata: { name, namespace }, spec });

const pod = (name, app, version, podIP, serviceAccountName) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app, version } },
    spec: { serviceAccountName, containers: [{ name: 'app', ports: [{ name: 'http', containerPort: 9080 }] }] },
    status: { phase: 'Running', podIP },
  });

const service = (name) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { selector: { app: name }, ports: [{ name: 'http', port: 9080 }] },
  });

const mesh = [
  service('ratings'),
  pod('ratings-v1', 'ratings', 'v1', '10.200.0.2', 'bookinfo-ratings'),
  pod('reviews-v2', 'reviews', 'v2', '10.0.0.1', 'bookinfo-reviews'),
];

/** Labels, headers, and a list of addresses; nobody but `john` is refused. */
const rules = [
  document('handler', 'denyall', {
    compiledAdapter: 'denier',
    params: { status: { code: 7, message: 'Not allowed' } },
  }),
  document('instance', 'denyrequest', { compiledTemplate: 'checknothing' }),
  document('rule', 'denyreviewsv3', {
    match:
      'destination.labels["app"] == "ratings" && source.labels["app"]=="reviews" && source.labels["version"] == "v3"',
    actions: [{ handler: 'denyall', instances: ['denyrequest'] }],
  }),
  document('rule', 'denyjohn', {
    match: '(request.headers["x-user"] | "") == "john"',
    actions: [{ handler: 'denyall', instances: ['denyrequest'] }],
  }),
  document('handler', 'addresses', {
    compiledAdapter: 'listchecker',
    params: { overrides: ['10.0.0.0/8'], entryType: 'IP_ADDRESSES', blacklist: false },
  }),
  document('instance', 'sourceip', {
    compiledTemplate: 'listentry',
    params: { value: 'source.ip | ip("0.0.0.0")' },
  }),
  document('rule', 'checkip', { actions: [{ handler: 'addresses', instances: ['sourceip'] }] }),
];

/** More than are asked for: what is measured is counting, not refusing. */
const quotas = [
  document('handler', 'quotahandler', {
    compiledAdapter: 'memquota',
    params: {
      quotas: [{ name: 'requestcount.instance.istio-system', maxAmount: 1_000_000_000, validDuration: '3600s' }],
    },
  }),
  document('instance', 'requestcount', {
    compiledTemplate: 'quota',
    params: {
      dimensions: {
        source: 'request.headers["x-forwarded-for"] | "unknown"',
        destination: 'destination.labels["app"] | destination.service.name | "unknown"',
        destinationVersion: 'destination.labels["version"] | "unknown"',
      },
    },
  }),
  document('QuotaSpec', 'request-count', { rules: [{ quotas: [{ charge: 1, quota: 'requestcount' }] }] }),
  document('QuotaSpecBinding', 'request-count', {
    quotaSpecs: [{ name: 'request-count', namespace: 'istio-system' }],
    services: [{ name: 'ratings', namespace: 'default' }],
  }),
  document('rule', 'quota', { actions: [{ handler: 'quotahandler', instances: ['requestcount'] }] }),
];

async function measure(documents, options, progress, rowsOf) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'seine-bench-'));
  fs.writeFileSync(path.join(folder, 'mesh.yaml'), [...mesh, ...documents].join('\n---\n'));
  try {
    const how = { options, clients: 'check-clients.mjs', args: ['--config-dir', folder], progress };
    return await withMixer(how, async ({ ask, row }) => {
      // Code is compiled as it runs hot: what is measured is a mixer that has worked for a while.
      await ask({ callers: 1000, total: 50_000, width: 64 });
      const rows = [];
      for (let rep = 0; rep < options.reps; rep++) for (const [name, task] of rowsOf) rows.push(await row(name, task));
      return rows;
    });
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns rows as `withMixer` makes them */
export async function measureCheck(options, progress) {
  const most = { total: 200_000, width: 64 };
  return [
    ...(await measure(rules, options, progress, [
      ['three rules, 8,000 a second, 1,000 callers', { callers: 1000, total: 80_000, perSecond: 8000 }],
      ['three rules, as many as it takes, 1,000 callers', { callers: 1000, ...most }],
      ['three rules, as many as it takes, 100,000 callers', { callers: 100_000, ...most }],
      ['refused, as many as it takes', { callers: 1000, refused: true, ...most }],
    ])),
    ...(await measure(quotas, options, progress, [
      ['a quota (memquota), as many as it takes, 1,000 callers', { callers: 1000, ...most }],
    ])),
  ];
}
