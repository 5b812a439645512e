// Envoys that ask mixer about requests: HTTP/2 frames made once and written straight to sockets, so that the asking takes
// little beside the answering. Takes its task as JSON in the first argument, prints the result as JSON.
import net from 'node:net';
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';

const { port, connections, callers, total, width, perSecond } = JSON.parse(process.argv[2]);
const name = 'bench/limit/0';
const frameHead = 9;
const type = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8 };
const endStream = 1;
const endHeaders = 4;
const ack = 1;
const word = (value) => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);

function frame(kind, flags, stream, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(frameHead);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(kind, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header that no table keeps (RFC 7541, 6.2.2); names and values below 127 bytes. */
const header = (key, value) =>
  Buffer.concat([Buffer.from([0, key.length]), Buffer.from(key), Buffer.from([value.length]), Buffer.from(value)]);

const headers = Buffer.concat(
  [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit'],
    [':authority', 'mixer.istio-system.svc.cluster.local'],
    ['te', 'trailers'],
    ['content-type', 'application/grpc'],
    ['grpc-timeout', '100m'],
    // More than are asked for: what is measured is counting, not refusing.
    ['ratelimit-policy', `"${name}";q=1000000000;w=86400`],
  ].map(([key, value]) => header(key, value)),
);

/** A field of a protobuf message, below 127 bytes. */
const field = (number, bytes) => Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
const entry = (key, value) => field(1, Buffer.concat([field(1, Buffer.from(key)), field(2, Buffer.from(value))]));

/** RateLimitRequest with one descriptor: the limit, and who calls. */
function question(caller) {
  const descriptor = Buffer.concat([entry('rate_limit', name), entry('source_identity', `ns/bench/sa/${caller}`)]);
  const message = Buffer.concat([field(1, Buffer.from('policy.seine.dev')), field(2, descriptor)]);
  const body = Buffer.concat([Buffer.from([0]), word(message.length), message]);
  return Buffer.concat([frame(type.headers, endHeaders, 0, headers), frame(type.data, endStream, 0, body)]);
}

const questions = Array.from({ length: callers }, (_, caller) => question(caller));
/** Where the second frame of a question begins. */
const second = frameHead + headers.length;
const okAnswer = Buffer.from([0x08, 0x01]);

class Client {
  #rest = Buffer.alloc(0);
  #next = 1;
  #batch = [];
  waiting = new Map();
  allowed = new Set();

  async connect(onAnswer) {
    this.onAnswer = onAnswer;
    this.socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
    await new Promise((resolve, reject) => this.socket.once('connect', resolve).once('error', reject));
    this.socket.on('data', (chunk) => this.#read(chunk));
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    // Room for all answers at once: none comes in two frames.
    const window = frame(type.windowUpdate, 0, 0, word(2 ** 30));
    this.socket.write(Buffer.concat([preface, frame(type.settings, 0, 0), window]));
  }

  /** @param due when it was to be asked, ms */
  ask(caller, due) {
    const bytes = Buffer.from(questions[caller]);
    bytes.writeUInt32BE(this.#next, 5);
    bytes.writeUInt32BE(this.#next, second + 5);
    this.waiting.set(this.#next, due);
    this.#next += 2;
    // What is asked in one turn goes out in one piece, as Envoy's workers do it.
    if (this.#batch.push(bytes) === 1)
      setImmediate(() => {
        this.socket.write(Buffer.concat(this.#batch));
        this.#batch = [];
      });
  }

  #read(chunk) {
    let all = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    while (all.length - at >= frameHead) {
      const length = all.readUIntBE(at, 3);
      if (all.length - at < frameHead + length) break;
      const [kind, flags, stream] = [all[at + 3], all[at + 4], all.readUInt32BE(at + 5)];
      this.#take(kind, flags, stream, all.subarray(at + frameHead, at + frameHead + length));
      at += frameHead + length;
    }
    this.#rest = all.subarray(at);
  }

  #take(kind, flags, stream, payload) {
    if (kind === type.settings && !(flags & ack)) this.socket.write(frame(type.settings, ack, 0));
    else if (kind === type.ping && !(flags & ack)) this.socket.write(frame(type.ping, ack, 0, payload));
    else if (kind === type.goaway) throw new Error(`mixer ended the connection: ${payload.toString('latin1')}`);
    else if (kind === type.reset) throw new Error(`a question was reset: ${payload.toString('hex')}`);
    else if (kind === type.data) {
      if (payload.indexOf(okAnswer) !== 5) throw new Error(`not allowed: ${payload.toString('hex')}`);
      this.allowed.add(stream);
    } else if (kind === type.headers && flags & endStream) {
      const due = this.waiting.get(stream);
      this.waiting.delete(stream);
      if (!this.allowed.delete(stream)) throw new Error('a question was refused');
      this.onAnswer(this, performance.now() - due);
    }
  }
}

const latencies = [];
let asked = 0;
const began = performance.now();
const clients = Array.from({ length: connections }, () => new Client());
await new Promise((resolve, reject) => {
  process.once('uncaughtException', reject);
  const next = (client, due = performance.now()) => client.ask(asked++ % callers, due);
  const onAnswer = (client, latency) => {
    if (latencies.push(latency) === total) resolve();
    else if (perSecond === undefined && asked < total) next(client);
  };
  const most = () => {
    for (let i = 0; i < Math.min(width, total); i++) next(clients[i % connections]);
  };
  /** So many a second, whatever comes of the ones before; late ones count from when they were due. */
  const rate = (start) => {
    const now = performance.now();
    while (asked < Math.min(total, ((now - start) / 1000) * perSecond))
      next(clients[asked % connections], start + (asked / perSecond) * 1000);
    if (asked < total) setTimeout(rate, 1, start);
  };
  Promise.all(clients.map((client) => client.connect(onAnswer))).then(
    () => (perSecond === undefined ? most() : rate(performance.now())),
    reject,
  );
});
const seconds = (performance.now() - began) / 1000;
const sorted = latencies.sort((a, b) => a - b);
const quantile = (q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
console.log(
  JSON.stringify({ answers: sorted.length, seconds, p50: quantile(0.5), p99: quantile(0.99), max: sorted.at(-1) }),
);
process.exit(0);
