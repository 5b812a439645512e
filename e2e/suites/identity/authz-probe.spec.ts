import { it, jest } from '@jest/globals';
import { TestMesh } from '../../src/index.js';
jest.setTimeout(180_000);
it('probe', async () => {
  const mesh = await TestMesh.start({ workloads: [{ name: 'reviews-v1', sidecar: true }] });
  try {
    for (let i = 0; i < 3; i++) console.log((await mesh.call('http://reviews:8080/')).status);
    const { revision } = await mesh.pilot.sync();
    mesh.write('deny', `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no, namespace: default}
spec:
  selector: {matchLabels: {app: reviews}}
  action: DENY
  rules: [{}]
`);
    await mesh.untilSynced(revision);
    const start = Date.now();
    await new Promise((r) => setTimeout(r, 2000));
    for (let i = 0; i < 8; i++) { console.log(Date.now() - start, (await mesh.call('http://reviews:8080/')).status); await new Promise((r) => setTimeout(r, 500)); }
  } finally { await mesh.stop(); }
});
