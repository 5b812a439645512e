import { ErrorCode, Http2Error } from './frames.js';
import type { Header } from './hpack-decoder.js';

/** What a gRPC server needs of a request's headers. */
export interface RequestHead {
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
  /** Empty where there is none. */
  readonly authorization: string;
  /** All of them, as they came. */
  readonly headers: readonly Header[];
}

const validName = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const invalidValue = /[\0\r\n]/;
/** Belong to HTTP/1.1 (RFC 9113, 8.2.2). */
const connectionSpecific = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);
const pseudoHeaders = new Set([':method', ':scheme', ':authority', ':path']);

function malformed(streamId: number, what: string): Http2Error {
  return new Http2Error(ErrorCode.PROTOCOL_ERROR, what, streamId);
}

function checkField(streamId: number, name: string, value: string): void {
  if (!validName.test(name)) throw malformed(streamId, 'a header name that is not valid');
  if (connectionSpecific.has(name)) throw malformed(streamId, `header ${name} is not of HTTP/2`);
  if (name === 'te' && value !== 'trailers') throw malformed(streamId, 'te other than trailers');
}

/** Checks the headers of a request (RFC 9113, 8.2 and 8.3.1). Throws Http2Error for the stream when malformed. */
export function parseRequestHead(streamId: number, headers: readonly Header[]): RequestHead {
  const pseudo = new Map<string, string>();
  let contentType = '';
  let authorization = '';
  let regular = false;
  for (const [name, value] of headers) {
    if (invalidValue.test(value)) throw malformed(streamId, `header ${name} holds a line break or NUL`);
    if (name.startsWith(':')) {
      if (regular || pseudo.has(name) || !pseudoHeaders.has(name))
        throw malformed(streamId, `misplaced header ${name}`);
      pseudo.set(name, value);
      continue;
    }
    regular = true;
    checkField(streamId, name, value);
    if (name === 'content-type') contentType = value;
    else if (name === 'authorization') authorization = value;
  }
  const method = pseudo.get(':method');
  const path = pseudo.get(':path');
  if (!method || !path || !pseudo.get(':scheme')) throw malformed(streamId, 'a request without method, scheme or path');
  return { method, path, contentType, authorization, headers };
}

/** Checks a request's trailers, whose content no handler needs. */
export function checkTrailers(streamId: number, headers: readonly Header[]): void {
  for (const [name, value] of headers) checkField(streamId, name, value);
}
