import { staticTable } from './hpack-static.js';
import { encodeGrpcMessage } from './status.js';

/**
 * Header blocks of responses. They use the static table and literals only, so that they depend on no state and are
 * valid on every connection (RFC 7541, 6.1 and 6.2.2).
 */

/** An integer behind the high bits of a representation (RFC 7541, 5.1). */
function encodeInteger(value: number, prefixBits: number, pattern = 0): number[] {
  const limit = (1 << prefixBits) - 1;
  if (value < limit) return [pattern | value];
  const bytes = [pattern | limit];
  let rest = value - limit;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return bytes;
}

function encodeText(text: string): Buffer {
  return Buffer.concat([Buffer.from(encodeInteger(text.length, 7)), Buffer.from(text, 'latin1')]);
}

export function encodeHeader(name: string, value: string): Buffer {
  const whole = staticTable.findIndex((entry) => entry[0] === name && entry[1] === value);
  if (whole >= 0) return Buffer.from(encodeInteger(whole + 1, 7, 0x80));
  const index = staticTable.findIndex((entry) => entry[0] === name) + 1;
  return Buffer.concat([
    Buffer.from(encodeInteger(index, 4)),
    index === 0 ? encodeText(name) : Buffer.alloc(0),
    encodeText(value),
  ]);
}

/** Says that this side's table is empty from now on, which a peer that lowers the size of the table must hear. */
export const emptyTableUpdate = Buffer.from([0x20]);

/** What begins every gRPC response. */
export const responseHeaders = Buffer.concat([
  encodeHeader(':status', '200'),
  encodeHeader('content-type', 'application/grpc'),
]);

/** Longest text of a status in UTF-16 units: the block stays below the smallest frame however it is encoded. */
const maxStatusText = 1000;

/** The trailers of a gRPC response. */
export function encodeTrailers(code: number, message: string): Buffer {
  const status = encodeHeader('grpc-status', String(code));
  if (!message) return status;
  return Buffer.concat([status, encodeHeader('grpc-message', encodeGrpcMessage(message.slice(0, maxStatusText)))]);
}

/** A response without messages: headers and trailers in one (gRPC, "Trailers-Only"). */
export function encodeTrailersOnly(httpStatus: number, code: number, message: string): Buffer {
  return Buffer.concat([
    encodeHeader(':status', String(httpStatus)),
    encodeHeader('content-type', 'application/grpc'),
    encodeTrailers(code, message),
  ]);
}
