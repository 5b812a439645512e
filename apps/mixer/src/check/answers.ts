import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import type { HeaderValueOptionSchema } from '@seine/envoy/envoy/config/core/v3/base_pb.js';
import { type CheckResponse, CheckResponseSchema } from '@seine/envoy/envoy/service/auth/v3/external_auth_pb.js';
import { StatusCode } from '@seine/envoy/envoy/type/v3/http_status_pb.js';
import { rpcStatus } from '@seine/mixer';
import { RpcCode } from './rpc-code.js';

/** One value of a header, behind those that are there (`append`) or instead of them. */
export interface HeaderValue {
  readonly name: string;
  readonly value: string;
  readonly append: boolean;
}

/** What becomes of the headers of a request that may go on. */
export interface HeaderChanges {
  readonly request: readonly HeaderValue[];
  readonly requestRemoved: readonly string[];
  readonly response: readonly HeaderValue[];
}

export interface Refusal {
  /** google.rpc.Code */
  readonly code: number;
  readonly message: string;
  /**
   * Whether the request was looked at: else nobody could say whether it may go on, and the proxy decides, by the mesh's
   * `policyCheckFailOpen`.
   */
  readonly decided: boolean;
}

type Option = MessageInitShape<typeof HeaderValueOptionSchema>;

const optionOf = ({ name, value, append }: HeaderValue): Option => ({
  header: { key: name, value },
  // What Envoy has instead, `append_action`, its authorization filter overlooks up to 1.40.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  append,
});

function encode(response: CheckResponse): Buffer {
  const bytes = toBinary(CheckResponseSchema, response);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const allowed = encode(create(CheckResponseSchema, { status: {}, httpResponse: { case: 'okResponse', value: {} } }));

/** @param changes undefined = none */
export function encodeAllowed(changes?: HeaderChanges): Buffer {
  if (!changes) return allowed;
  const { request, requestRemoved, response } = changes;
  return encode(
    create(CheckResponseSchema, {
      status: {},
      httpResponse: {
        case: 'okResponse',
        value: {
          headers: request.map(optionOf),
          headersToRemove: [...requestRemoved],
          responseHeadersToAdd: response.map(optionOf),
        },
      },
    }),
  );
}

/** Refusals are few and repeat; a message that names a user is another one for each. */
const maxRefusals = 1000;
/** Longer ones, in characters, are made anew each time. */
const maxKept = 1000;
/** Clients get no more of a message, in characters: what they sent may be in it. */
const maxBody = 4000;
const refusals = new Map<string, Buffer>();
/** Envoy's list has no 499 (CANCELLED). */
const codes = new Map((Object.values(StatusCode) as StatusCode[]).map((code) => [`${code}`, code]));

/** `PERMISSION_DENIED:denyall.istio-system:Not allowed`, as Mixer's clients saw it. */
export function encodeRefused({ code, message, decided }: Refusal): Buffer {
  const { name, http } = rpcStatus(code);
  const body = cut(`${name}:${message}`);
  const key = `${decided} ${body}`;
  const before = refusals.get(key);
  if (before) return before;
  const value = { status: { code: codes.get(`${http}`) ?? StatusCode.InternalServerError }, body };
  const made = encode(
    create(CheckResponseSchema, {
      // Envoy takes only some codes for a refusal, and others for a failure.
      status: { code: decided ? RpcCode.PERMISSION_DENIED : code, message: body },
      httpResponse: decided ? { case: 'deniedResponse', value } : { case: 'errorResponse', value },
    }),
  );
  if (body.length > maxKept) return made;
  if (refusals.size >= maxRefusals) refusals.clear();
  refusals.set(key, made);
  return made;
}

function cut(text: string): string {
  return text.length > maxBody ? `${text.slice(0, maxBody)}…` : text;
}
