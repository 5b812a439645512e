/** Frames of HTTP/2 (RFC 9113, sections 4 and 6). */

export const FrameType = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const Flag = { ACK: 0x1, END_STREAM: 0x1, END_HEADERS: 0x4, PADDED: 0x8, PRIORITY: 0x20 } as const;

export const ErrorCode = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  ENHANCE_YOUR_CALM: 11,
} as const;

export const Setting = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const;

export const clientPreface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
export const frameHeaderBytes = 9;
/** Frame size and windows before any SETTINGS (RFC 9113, 6.5.2). */
export const defaultMaxFrameSize = 16_384;
export const defaultWindow = 65_535;
export const maxWindow = 0x7fff_ffff;

/** A peer broke the protocol or a limit. With a stream it costs that stream only, otherwise the connection. */
export class Http2Error extends Error {
  constructor(
    /** One of ErrorCode. */
    readonly code: number,
    message: string,
    readonly streamId = 0,
  ) {
    super(message);
    this.name = 'Http2Error';
  }
}

/** @returns the offset after the header */
export function writeFrameHeader(
  into: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): number {
  into[at] = length >>> 16;
  into[at + 1] = length >>> 8;
  into[at + 2] = length;
  into[at + 3] = type;
  into[at + 4] = flags;
  into.writeUInt32BE(streamId, at + 5);
  return at + frameHeaderBytes;
}

export function encodeFrame(type: number, flags: number, streamId: number, payload?: Buffer): Buffer {
  const size = payload?.length ?? 0;
  const frame = Buffer.allocUnsafe(frameHeaderBytes + size);
  writeFrameHeader(frame, 0, size, type, flags, streamId);
  payload?.copy(frame, frameHeaderBytes);
  return frame;
}

export function encodeSettings(settings: ReadonlyMap<number, number>): Buffer {
  const payload = Buffer.allocUnsafe(6 * settings.size);
  let at = 0;
  for (const [id, value] of settings) {
    payload.writeUInt16BE(id, at);
    payload.writeUInt32BE(value, at + 2);
    at += 6;
  }
  return encodeFrame(FrameType.SETTINGS, 0, 0, payload);
}

export const settingsAck = encodeFrame(FrameType.SETTINGS, Flag.ACK, 0);

/** @param data eight bytes, which the answer repeats */
export function encodePing(data: Buffer, ack: boolean): Buffer {
  return encodeFrame(FrameType.PING, ack ? Flag.ACK : 0, 0, data);
}

function encodeWord(type: number, streamId: number, value: number): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt32BE(value, 0);
  return encodeFrame(type, 0, streamId, payload);
}

export function encodeReset(streamId: number, code: number): Buffer {
  return encodeWord(FrameType.RST_STREAM, streamId, code);
}

/** @param increment 1 … 2^31-1 bytes; stream 0 is the connection */
export function encodeWindowUpdate(streamId: number, increment: number): Buffer {
  return encodeWord(FrameType.WINDOW_UPDATE, streamId, increment);
}

/** @param lastStreamId the highest stream that was or may still be served */
export function encodeGoaway(lastStreamId: number, code: number, reason = ''): Buffer {
  const payload = Buffer.alloc(8 + Buffer.byteLength(reason));
  payload.writeUInt32BE(lastStreamId, 0);
  payload.writeUInt32BE(code, 4);
  payload.write(reason, 8);
  return encodeFrame(FrameType.GOAWAY, 0, 0, payload);
}

/**
 * What a padded frame carries without its padding (RFC 9113, 6.1 and 6.2), after `skip` bytes of other fields.
 * Throws when the padding is larger than the frame.
 */
export function unpad(payload: Buffer, flags: number, skip = 0): Buffer {
  const padded = (flags & Flag.PADDED) !== 0;
  const padding = padded ? payload[0] : 0;
  const start = (padded ? 1 : 0) + skip;
  if (padding === undefined || start + padding > payload.length)
    throw new Http2Error(ErrorCode.PROTOCOL_ERROR, 'padding or priority exceeds the frame');
  return payload.subarray(start, payload.length - padding);
}
