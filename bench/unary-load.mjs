// Envoys that ask mixer about requests: HTTP/2 frames made once and written straight to sockets, so that the asking takes
// little beside the answering.
import net from 'node:net';
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';

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

/** @param message an encoded request of the method */
function question(headers, message) {
  const body = Buffer.concat([Buffer.from([0]), word(message.length), message]);
  return Buffer.concat([frame(type.headers, endHeaders, 0, headers), frame(type.data, endStream, 0, body)]);
}

class Client {
  #rest = Buffer.alloc(0);
  #next = 1;
  #batch = [];
  waiting = new Map();
  expected = new Set();

  /** @param isExpected whether an answer's message is the one that was to come */
  constructor(questions, second, isExpected) {
    Object.assign(this, { questions, second, isExpected });
  }

  async connect(port, onAnswer) {
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
  ask(which, due) {
    const bytes = Buffer.from(this.questions[which]);
    bytes.writeUInt32BE(this.#next, 5);
    bytes.writeUInt32BE(this.#next, this.second + 5);
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
    const all = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
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
      if (!this.isExpected(payload.subarray(5))) throw new Error(`another answer: ${payload.toString('latin1')}`);
      this.expected.add(stream);
    } else if (kind === type.headers && flags & endStream) {
      const due = this.waiting.get(stream);
      this.waiting.delete(stream);
      if (!this.expected.delete(stream)) throw new Error(`a question got no answer: ${payload.toString('latin1')}`);
      this.onAnswer(this, performance.now() - due);
    }
  }
}

/**
 * Asks, and prints as JSON how long the answers took.
 * @param task `{port, connections, total, width | perSecond}`: so many at once, or so many a second
 * @param method `{path, headers, messages, isExpected}`: what is asked, one message after the other
 */
export async function load({ port, connections, total, width, perSecond }, { path, headers, messages, isExpected }) {
  const head = Buffer.concat(
    [
      [':method', 'POST'],
      [':scheme', 'http'],
      [':path', path],
      [':authority', 'mixer.istio-system.svc.cluster.local'],
      ['te', 'trailers'],
      ['content-type', 'application/grpc'],
      ['grpc-timeout', '100m'],
      ...headers,
    ].map(([key, value]) => header(key, value)),
  );
  const questions = messages.map((message) => question(head, message));
  const clients = Array.from({ length: connections }, () => new Client(questions, frameHead + head.length, isExpected));
  const latencies = [];
  let asked = 0;
  const began = performance.now();
  await new Promise((resolve, reject) => {
    process.once('uncaughtException', reject);
    const next = (client, due = performance.now()) => client.ask(asked++ % questions.length, due);
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
    Promise.all(clients.map((client) => client.connect(port, onAnswer))).then(
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
}
