import { beforeEach, describe, expect, it } from '@jest/globals';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { TypeUrl } from '@seine/envoy/resource';
import {
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
} from '@seine/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { DeltaSecretStream, type SdsEvents, SotwSecretStream } from './sds-stream.js';
import { rootSecret, type SecretResource } from './secret.js';
import { SecretBoard, type SecretSource } from './secret-source.js';

let board: SecretBoard;
let source: SecretSource;
let told: string[];
const watching = new Map<string, number>();

const events: SdsEvents = {
  onRefusedName: (name, reason) => void told.push(`${name} ${reason}`),
  onNack: (names, message) => void told.push(`${names.join()}: ${message}`),
};

/** A secret; its content is what is told of it. */
function put(name: string, content: string): SecretResource {
  const secret = rootSecret(name, content);
  board.put(secret);
  return secret;
}

beforeEach(() => {
  board = new SecretBoard();
  told = [];
  watching.clear();
  source = {
    refusal: (name) => (name.startsWith('secret-') ? undefined : 'is not known'),
    get: (name) => board.get(name),
    watch: (name, listener) => {
      watching.set(name, (watching.get(name) ?? 0) + 1);
      const end = board.watch(name, listener);
      return () => {
        watching.set(name, (watching.get(name) ?? 0) - 1);
        end();
      };
    },
  };
});

describe('SotwSecretStream', () => {
  let sent: DiscoveryResponse[];
  let stream: SotwSecretStream;
  beforeEach(() => {
    sent = [];
    stream = new SotwSecretStream(source, (response) => sent.push(response), events);
  });
  const ask = (names: readonly string[], more: MessageInitShape<typeof DiscoveryRequestSchema> = {}) =>
    stream.receive(
      create(DiscoveryRequestSchema, {
        typeUrl: TypeUrl.secret,
        resourceNames: [...names],
        responseNonce: sent.at(-1)?.nonce ?? '',
        ...more,
      }),
    );

  it('answers with what is there, waits for what is not, and does not answer an acknowledgement', () => {
    const [one, two] = [put('secret-1', 'one'), 'secret-2'];
    ask(['secret-1', two]);
    expect(sent.map(({ resources }) => resources)).toEqual([[one.resource]]);
    ask(['secret-1', two], { versionInfo: sent[0]!.versionInfo });
    expect(sent).toHaveLength(1);
    const late = put(two, 'two');
    expect(sent[1]!.resources).toEqual([one.resource, late.resource]);
    expect(new Set(sent.map(({ nonce }) => nonce)).size).toBe(2);
  });

  it('pushes a change without a request, and nothing where nothing changed', () => {
    put('secret-1', 'one');
    ask(['secret-1']);
    const changed = put('secret-1', 'other');
    put('secret-1', 'other');
    put('secret-3', 'of no interest');
    expect(sent.map(({ resources }) => resources)).toEqual([expect.anything(), [changed.resource]]);
  });

  it('tells of a refusal, and does not send again what was refused', () => {
    put('secret-1', 'one');
    ask(['secret-1']);
    ask(['secret-1'], { errorDetail: { code: 13, message: 'no PEM' } });
    expect([sent.length, told]).toEqual([1, ['secret-1: no PEM']]);
    expect(stream.isAwaited('secret-1')).toBe(false);
    put('secret-1', 'better');
    expect(sent).toHaveLength(2);
  });

  it('passes over answers to an older response', () => {
    put('secret-1', 'one');
    ask(['secret-1']);
    put('secret-1', 'two');
    ask([], { responseNonce: '1' });
    expect(watching.get('secret-1')).toBe(1);
    put('secret-1', 'three');
    expect(sent).toHaveLength(3);
  });

  it('gives nothing for an unknown name, and says so once', () => {
    ask(['nonsense']);
    ask(['nonsense']);
    expect([sent, told]).toEqual([[], ['nonsense is not known']]);
  });

  it('adds and drops names in the course of the stream, and ends watching with it', () => {
    const [one, two] = [put('secret-1', 'one'), put('secret-2', 'two')];
    ask(['secret-1']);
    ask(['secret-1', 'secret-2']);
    expect(sent[1]!.resources).toEqual([one.resource, two.resource]);
    ask(['secret-2']);
    put('secret-1', 'not wanted');
    expect(sent).toHaveLength(2);
    expect(watching.get('secret-1')).toBe(0);
    stream.close();
    expect([...watching.values()]).toEqual([0, 0]);
  });

  it('refuses other types, and a flood of names', () => {
    expect(() => ask(['secret-1'], { typeUrl: TypeUrl.cluster })).toThrow(/secrets are served here/);
    expect(() => ask(Array.from({ length: 1001 }, (_, index) => `secret-${index}`))).toThrow(/at most 1000/);
  });
});

describe('DeltaSecretStream', () => {
  let sent: DeltaDiscoveryResponse[];
  let stream: DeltaSecretStream;
  beforeEach(() => {
    sent = [];
    stream = new DeltaSecretStream(source, (response) => sent.push(response), events);
  });
  const ask = (request: MessageInitShape<typeof DeltaDiscoveryRequestSchema>) =>
    stream.receive(create(DeltaDiscoveryRequestSchema, request));
  const names = () => sent.map(({ resources }) => resources.map(({ name }) => name));

  it('sends what is new, and each change alone', () => {
    put('secret-1', 'one');
    put('secret-2', 'two');
    ask({ typeUrl: TypeUrl.secret, resourceNamesSubscribe: ['secret-1', 'secret-2', 'secret-3'] });
    const changed = put('secret-2', 'other');
    const late = put('secret-3', 'three');
    expect(names()).toEqual([['secret-1', 'secret-2'], ['secret-2'], ['secret-3']]);
    expect(sent.flatMap(({ resources }) => resources.map(({ version }) => version)).slice(2)).toEqual([
      changed.version,
      late.version,
    ]);
  });

  it('does not send again what a reconnecting client has', () => {
    const [one] = [put('secret-1', 'one'), put('secret-2', 'two')];
    const has = { 'secret-1': one.version, 'secret-2': 'old' };
    ask({ resourceNamesSubscribe: ['secret-1', 'secret-2'], initialResourceVersions: has });
    expect(names()).toEqual([['secret-2']]);
  });

  it('sends again what is subscribed to again', () => {
    put('secret-1', 'one');
    ask({ resourceNamesSubscribe: ['secret-1'] });
    ask({ responseNonce: sent[0]!.nonce });
    expect(sent).toHaveLength(1);
    ask({ resourceNamesSubscribe: ['secret-1'] });
    expect(sent).toHaveLength(2);
  });

  it('sends no more of what is unsubscribed', () => {
    put('secret-1', 'one');
    ask({ resourceNamesSubscribe: ['secret-1'] });
    ask({ resourceNamesUnsubscribe: ['secret-1'] });
    put('secret-1', 'two');
    expect([sent.length, watching.get('secret-1')]).toEqual([1, 0]);
  });

  it('tells of a refusal by the names that were refused, and of unknown names', () => {
    put('secret-1', 'one');
    ask({ resourceNamesSubscribe: ['secret-1', 'nonsense'] });
    ask({ responseNonce: sent[0]!.nonce, errorDetail: { code: 13, message: 'no PEM' } });
    ask({ responseNonce: 'of nobody', errorDetail: { code: 13, message: 'lost' } });
    expect(told).toEqual(['nonsense is not known', 'secret-1: no PEM']);
    expect(names()).toEqual([['secret-1']]);
  });
});
