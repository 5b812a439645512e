import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeMulti, decodeMultiStream, encode, ExtData } from '@msgpack/msgpack';
import type { InstanceTypes, Templates, Value, ValueType } from '@seine/mixer';
import { makeAdapter, problemsOf, TestContext } from '../testing/adapter.fixture.js';
import { fluentd } from './fluentd.js';

interface Received {
  readonly tag: string;
  readonly entries: readonly (readonly [ExtData, Record<string, unknown>])[];
  readonly option: { readonly size: number; readonly chunk?: string };
}

/** The receiving end of the forward protocol: reads messages, and acknowledges them. */
class ForwardServer {
  readonly messages: Received[] = [];
  acknowledge = true;
  connections = 0;
  /** Bytes as they come: what a test wants broken. */
  onMessage: ((socket: Socket) => void) | undefined;
  #server: Server;
  #sockets = new Set<Socket>();
  #waiting: (() => void)[] = [];

  constructor() {
    this.#server = createServer((socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      void this.#read(socket);
    });
  }

  async listen(port = 0): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async received(count: number): Promise<readonly Received[]> {
    while (this.messages.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.messages;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #read(socket: Socket): Promise<void> {
    try {
      for await (const message of decodeMultiStream(socket)) {
        const [tag, entries, option] = message as [string, Uint8Array, Received['option']];
        this.messages.push({ tag, entries: [...decodeMulti(entries)] as unknown as Received['entries'], option });
        if (this.onMessage) this.onMessage(socket);
        else if (this.acknowledge) socket.write(encode({ ack: option.chunk }));
        for (const wake of this.#waiting.splice(0)) wake();
      }
    } catch {
      // A connection that ends in the middle is what some tests are about.
    }
  }
}

const types: InstanceTypes = {
  template: 'logentry',
  maps: {
    variables: new Map<string, ValueType>([
      ['latency', 'DURATION'],
      ['source', 'STRING'],
      ['responseCode', 'INT64'],
      ['tag', 'STRING'],
    ]),
  },
};
const name = 'newlog.logentry.istio-system';
const timestamp = Date.UTC(2018, 8, 15, 20, 46, 36, 9);
const entry = (more: Readonly<Record<string, Value>> = {}): Templates['logentry'] => ({
  instance: name,
  severity: 'warning',
  timestamp,
  variables: new Map<string, Value>([
    ['latency', 13.6],
    ['source', 'reviews'],
    ['responseCode', 200],
    ...Object.entries(more),
  ]),
  monitoredResourceType: '',
  monitoredResourceDimensions: new Map(),
});

describe('fluentd', () => {
  let server: ForwardServer;
  beforeEach(async () => {
    server = new ForwardServer();
    await server.listen();
  });
  afterEach(() => server.close());

  const made = async (params: object = {}, { port } = server) => {
    const context = new TestContext({ instances: { [name]: types } });
    const adapter = await makeAdapter(fluentd, { address: `127.0.0.1:${port}`, ...params }, context);
    return { adapter, context };
  };

  it('sends entries with their time to the nanosecond, under the instance’s name', async () => {
    const { adapter, context } = await made();
    await adapter.logentry!([entry(), entry({ source: 'ratings' })]);
    expect(server.messages).toEqual([]);
    await context.pass(1000);
    const [message] = await server.received(1);
    expect(message).toMatchObject({ tag: name, option: { size: 2, chunk: expect.any(String) } });
    const [time, record] = message!.entries[0]!;
    expect(time.type).toBe(0);
    const view = new DataView(new Uint8Array(time.data as Uint8Array).buffer);
    expect([view.getUint32(0), view.getUint32(4)]).toEqual([Math.floor(timestamp / 1000), 9_000_000]);
    expect(record).toEqual({ latency: '13.6ms', source: 'reviews', responseCode: 200, severity: 'warning' });
    expect(message!.entries[1]![1]).toMatchObject({ source: 'ratings' });
    await adapter.close?.();
  });

  it('takes the variable tag for the tag, and durations as numbers where asked to', async () => {
    const { adapter } = await made({ integer_duration: true });
    await adapter.logentry!([entry({ tag: 'mesh.access' }), entry(), entry({ tag: 'mesh.access' })]);
    await adapter.close?.();
    const [tagged, plain] = await server.received(2);
    expect(tagged).toMatchObject({ tag: 'mesh.access', option: { size: 2 } });
    expect(tagged!.entries[0]![1]).toMatchObject({ name, latency: 13, source: 'reviews' });
    expect(tagged!.entries[0]![1]).not.toHaveProperty('tag');
    expect(plain!.tag).toBe(name);
  });

  it('keeps one connection', async () => {
    const { adapter, context } = await made();
    for (let i = 0; i < 20; i++) {
      await adapter.logentry!([entry()]);
      await context.pass(1000);
    }
    await adapter.close?.();
    expect([server.messages.length, server.connections]).toEqual([20, 1]);
  });

  it('sends again what was not acknowledged, over a new connection', async () => {
    const { adapter, context } = await made();
    server.onMessage = (socket) => socket.destroy();
    await adapter.logentry!([entry()]);
    await context.pass(1000);
    server.onMessage = undefined;
    await context.pass(1000);
    await server.received(2);
    expect(server.connections).toBe(2);
    expect(context.warnings).toEqual([expect.stringMatching(/cannot send log entries to Fluentd at .*tried again/)]);
    await adapter.close?.();
  });

  it('gives up waiting for an acknowledgement, and tries again', async () => {
    const { adapter, context } = await made({ pushTimeoutDuration: '500ms' });
    server.acknowledge = false;
    await adapter.logentry!([entry()]);
    await context.pass(1000);
    expect(context.warnings).toEqual([expect.stringContaining('no answer in 500 ms')]);
    server.acknowledge = true;
    await context.pass(1000);
    await server.received(2);
    await adapter.close?.();
  });

  it('does without acknowledgements where it is told to', async () => {
    const { adapter, context } = await made({ requireAckResponse: false });
    server.acknowledge = false;
    await adapter.logentry!([entry()]);
    await context.pass(1000);
    const [message] = await server.received(1);
    expect(message!.option).toEqual({ size: 1 });
    expect(context.warnings).toEqual([]);
    await adapter.close?.();
  });

  it('connects when the other end is there again; what was too much is counted', async () => {
    const { port } = server;
    await server.close();
    const { adapter, context } = await made({ instanceBufferSize: 10 }, { port } as ForwardServer);
    await adapter.logentry!(Array.from({ length: 25 }, (_, i) => entry({ responseCode: i })));
    await context.pass(1000);
    server = new ForwardServer();
    await server.listen(port);
    await context.pass(60_000);
    const codes = server.messages.flatMap(({ entries }) => entries.map(([, record]) => record['responseCode']));
    expect(codes).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(context.warnings.at(-1)).toMatch(/^15 log entries .* were dropped$/);
    await adapter.close?.();
  });

  it('an end that talks nonsense is left', async () => {
    const { adapter, context } = await made({ pushTimeoutDuration: '5s' });
    server.onMessage = (socket) => socket.end(Buffer.from([0xc1, 0xc1, 0xc1]));
    await adapter.logentry!([entry()]);
    await context.pass(1000);
    expect(context.warnings).toHaveLength(1);
    server.onMessage = undefined;
    await adapter.close?.();
    expect(server.messages).toHaveLength(2);
  });

  it.each([
    ['an address that is none', { address: 'fluentd' }, 'address'],
    ['no buffer', { instanceBufferSize: 0 }, 'instanceBufferSize'],
    ['an interval that is none', { pushIntervalDuration: '0s' }, 'pushIntervalDuration'],
  ])('refuses %s', (_, params, path) => {
    expect(problemsOf(fluentd, params)).toMatchObject([{ path }]);
  });
});
