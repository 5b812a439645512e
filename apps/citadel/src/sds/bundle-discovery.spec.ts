import 'reflect-metadata';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import { credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { makeCertificateRequest } from '@seine/ca';
import {
  Following,
  ask,
  call,
  clientClass,
  clientOf,
  folder,
  newCsr,
  start,
  until,
  type Replica,
} from '../testing/replica.fixture.js';

jest.setTimeout(120_000);

let one: Replica;
let two: Replica;
beforeAll(async () => {
  [one, two] = await Promise.all([start('--limit-per-identity', '2000,1'), start('--limit-per-identity', '2000,1')]);
});
afterAll(async () => {
  await Promise.all([one.app.close(), two.app.close()]);
  fs.rmSync(folder, { recursive: true, force: true });
});

describe('over SDS citadel', () => {
  it('gives the bundle only: no certificate, and no key', async () => {
    const follower = new Following(one);
    follower.send({ resourceNames: ['default', 'ROOTCA'] });
    await until(() => follower.responses.length === 1);
    expect(follower.responses[0]!.resources).toHaveLength(1);
    expect(follower.roots).toEqual([one.citadel.roots()]);
    follower.close();
  });

  it('C-18 pushes a new root, and rotates when all who have shown a certificate have acknowledged it', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const client = clientOf(one);
    const { certChain } = await ask(client, 'account:agent', { csr: makeCertificateRequest(privateKey) });
    client.close();
    const own = { key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), chain: certChain.join('') };
    const [agent, stranger] = [new Following(one, own), new Following(two)];
    for (const follower of [agent, stranger]) {
      follower.send();
      await until(() => follower.responses.length === 1);
    }
    agent.send();
    const before = one.citadel.bundle().spiffe_sequence;

    expect(await call(one, 'POST', '/ca/rotate', { step: 'prepare' })).toMatchObject({
      status: 200,
      body: { phase: 'prepared' },
    });
    await until(() => agent.responses.length === 2 && stranger.responses.length === 2);
    expect(agent.roots).toEqual(two.citadel.trust.roots);
    expect(agent.roots).toHaveLength(2);
    expect(one.citadel.bundle().spiffe_sequence).toBe(before + 1);
    // The stranger's word does not count; the agent's does, at either citadel.
    const refused = {
      status: 409,
      body: { message: expect.stringMatching(/1 followers have not .*sa\/agent at 127/) },
    };
    expect(await call(one, 'POST', '/ca/rotate', { step: 'activate' })).toMatchObject(refused);
    await until(() => two.citadel.spread().behind.length > 0);
    expect(await call(two, 'POST', '/ca/rotate', { step: 'activate' })).toMatchObject(refused);

    agent.send();
    await until(() => two.citadel.spread().behind.length === 0);
    expect(await call(two, 'POST', '/ca/rotate', { step: 'activate' })).toMatchObject({
      status: 200,
      body: { phase: 'activated' },
    });
    await until(() => one.citadel.keeper.state().prepared === undefined);
    const after = clientOf(one);
    const issued = await ask(after, 'account:agent', { csr: await newCsr() });
    after.close();
    const fingerprint = (pem: string) => new X509Certificate(pem).fingerprint256;
    expect(fingerprint(issued.certChain.at(-1)!)).toBe(fingerprint(agent.roots[1]!));

    expect((await call(one, 'POST', '/ca/rotate', { step: 'retire' })).status).toBe(409);
    expect(await call(one, 'POST', '/ca/rotate', { step: 'retire', force: true })).toMatchObject({
      status: 200,
      body: { phase: 'stable' },
    });
    await until(() => agent.responses.length === 3);
    expect(agent.roots).toHaveLength(1);
    for (const follower of [agent, stranger]) follower.close();
    await until(() => one.citadel.followers.list().length + two.citadel.followers.list().length === 0);
  });

  it('C-12 the certificate of a root that has gone renews nothing', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const client = clientOf(one);
    const { certChain } = await ask(client, 'account:late', { csr: makeCertificateRequest(privateKey) });
    client.close();
    for (const step of ['prepare', 'activate', 'retire'])
      expect(await call(one, 'POST', '/ca/rotate', { step, force: step !== 'prepare' })).toMatchObject({ status: 200 });
    const key = Buffer.from(privateKey.export({ format: 'pem', type: 'pkcs8' }));
    const channel = credentials.createSsl(Buffer.from(one.citadel.roots()), key, Buffer.from(certChain.join('')));
    await until(() => one.citadel.serving.roots === one.citadel.roots());
    const late = new clientClass(`localhost:${one.port}`, channel);
    await expect(ask(late, '', { csr: await newCsr() })).rejects.toMatchObject({ code: 16 });
    late.close();
  });

  it('ends a stream that asks for what is no secret', async () => {
    const follower = new Following(one);
    follower.send({ typeUrl: 'type.googleapis.com/envoy.config.cluster.v3.Cluster' });
    await until(() => follower.error !== undefined);
    expect(follower.error).toMatchObject({ code: 3 });
    follower.close();
  });
});
