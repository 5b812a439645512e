// A thousand agents in one process: each has an identity of its own and asks citadel for certificates over HTTP/2, as
// gRPC does. Speaks lines of JSON with its parent: {do: …} in, a result out.
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import fs from 'node:fs';
import http2 from 'node:http2';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import readline from 'node:readline';
import { pathToFileURL } from 'node:url';

const root = path.resolve(import.meta.dirname, '..');
const { makeCertificateRequest } = await import(pathToFileURL(path.join(root, 'libs/ca/dist/index.js')).href);
const { port, rootFile, keyFile, count } = JSON.parse(process.argv[2]);
const ca = fs.readFileSync(rootFile);
const provider = createPrivateKey(fs.readFileSync(keyFile));

function tokenOf(account) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: 'https://bench', aud: 'istio-ca', sub: `system:serviceaccount:bench:${account}`, exp: 4e9 };
  const text = `${part({ alg: 'ES256', kid: 'bench' })}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(text), { key: provider, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

/** istio.v1.auth.IstioCertificateRequest with its csr, in gRPC's frame. */
function frame(csr) {
  const text = Buffer.from(csr);
  const message = Buffer.concat([Buffer.from([0x0a, (text.length & 0x7f) | 0x80, text.length >> 7]), text]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** The certificates of an IstioCertificateResponse. */
function chainOf(body) {
  const certificates = [];
  for (let at = 5; at < body.length;) {
    let length = 0;
    let shift = 0;
    for (at++; ; at++) {
      length |= (body[at] & 0x7f) << shift;
      shift += 7;
      if (body[at] < 0x80) break;
    }
    certificates.push(body.subarray(at + 1, at + 1 + length));
    at += 1 + length;
  }
  return certificates;
}

class Agent {
  constructor(index) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.key = privateKey.export({ format: 'pem', type: 'pkcs8' });
    this.token = tokenOf(`agent-${index}`);
    this.body = frame(makeCertificateRequest(privateKey));
  }

  connect() {
    const own = this.chain ? { key: this.key, cert: this.chain } : {};
    const session = http2.connect(`https://localhost:${port}`, { ca, ...own });
    session.on('error', () => undefined);
    return session;
  }

  /** Latency in ms. A renewal is proved by the certificate of the connection, the first request by the token. */
  ask(session, withToken) {
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const call = session.request({
        ':method': 'POST',
        ':path': '/istio.v1.auth.IstioCertificateService/CreateCertificate',
        'content-type': 'application/grpc',
        te: 'trailers',
        ...(withToken && { authorization: `Bearer ${this.token}` }),
      });
      const chunks = [];
      let status;
      const read = (headers) => (status = headers['grpc-status'] ?? status);
      call.on('response', read);
      call.on('trailers', read);
      call.on('data', (chunk) => chunks.push(chunk));
      call.on('error', reject);
      call.on('end', () => {
        if (status !== '0') reject(new Error(`citadel answered ${status}`));
        else {
          this.received = Buffer.concat(chunks);
          resolve(performance.now() - began);
        }
      });
      call.end(this.body);
    });
  }
}

const agents = Array.from({ length: count }, (_, index) => new Agent(index));
const ended = async (session) => new Promise((resolve) => session.close(resolve));

/** Does something `total` times, `width` at once. */
async function lanes(width, total, run) {
  let next = 0;
  const lane = async () => {
    while (next < total) await run(next++);
  };
  await Promise.all(Array.from({ length: width }, lane));
}

const actions = {
  /** All agents get a first certificate by token, then connect with it and stay connected. */
  async enroll() {
    await lanes(16, agents.length, async (index) => {
      const agent = agents[index];
      const session = agent.connect();
      await agent.ask(session, true);
      agent.chain = Buffer.concat(chainOf(agent.received));
      await ended(session);
      agent.session = agent.connect();
      await new Promise((resolve, reject) => agent.session.once('connect', resolve).once('error', reject));
    });
    return {};
  },
  /** All at the same instant, on the connections that they have. */
  async burst() {
    const began = performance.now();
    const latencies = await Promise.all(agents.map((agent) => agent.ask(agent.session)));
    return { latencies, seconds: (performance.now() - began) / 1000 };
  },
  /** So many a second, whatever comes of the ones before, each by the next agent. */
  async rate({ perSecond, seconds }) {
    const began = performance.now();
    const asked = [];
    while (asked.length < perSecond * seconds) {
      const due = Math.min(perSecond * seconds, Math.floor(((performance.now() - began) / 1000) * perSecond));
      while (asked.length < due) {
        const agent = agents[asked.length % count];
        asked.push(agent.ask(agent.session));
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return { latencies: await Promise.all(asked), seconds: (performance.now() - began) / 1000 };
  },
  /** As fast as citadel takes them, with so many under way. */
  async most({ width, total }) {
    const began = performance.now();
    const latencies = [];
    await lanes(width, total, async (index) => {
      const agent = agents[index % count];
      latencies.push(await agent.ask(agent.session));
    });
    return { latencies, seconds: (performance.now() - began) / 1000 };
  },
  /** As `most`, each over a connection of its own: with a TLS handshake that shows the certificate. */
  async connections({ width, total }) {
    const began = performance.now();
    const latencies = [];
    await lanes(width, total, async (index) => {
      const agent = agents[index % count];
      const start = performance.now();
      const session = agent.connect();
      await agent.ask(session);
      latencies.push(performance.now() - start);
      await ended(session);
    });
    return { latencies, seconds: (performance.now() - began) / 1000 };
  },
};

console.log(JSON.stringify({ ready: true }));
for await (const line of readline.createInterface({ input: process.stdin })) {
  const { do: name, ...options } = JSON.parse(line);
  try {
    console.log(JSON.stringify(await actions[name](options)));
  } catch (error) {
    console.log(JSON.stringify({ error: error.message }));
  }
}
process.exit(0);
