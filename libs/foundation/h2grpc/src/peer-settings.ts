import { defaultMaxFrameSize, ErrorCode, Http2Error, maxWindow, Setting } from './frames.js';

/** What a client's SETTINGS mean to a server; undefined = not said. */
export interface PeerSettings {
  readonly initialWindow?: number;
  readonly frameSize?: number;
  readonly headerTable?: number;
}

const largestFrameSize = (1 << 24) - 1;

/** @param payload of a SETTINGS frame, six bytes for each. Throws Http2Error for values out of range (6.5.2). */
export function parseSettings(payload: Buffer): PeerSettings {
  let settings: PeerSettings = {};
  for (let at = 0; at < payload.length; at += 6) {
    const value = payload.readUInt32BE(at + 2);
    switch (payload.readUInt16BE(at)) {
      case Setting.HEADER_TABLE_SIZE:
        settings = { ...settings, headerTable: Math.min(value, settings.headerTable ?? value) };
        break;
      case Setting.ENABLE_PUSH:
        if (value > 1) throw new Http2Error(ErrorCode.PROTOCOL_ERROR, 'ENABLE_PUSH is neither 0 nor 1');
        break;
      case Setting.INITIAL_WINDOW_SIZE:
        if (value > maxWindow) throw new Http2Error(ErrorCode.FLOW_CONTROL_ERROR, 'a window over 2^31-1');
        settings = { ...settings, initialWindow: value };
        break;
      case Setting.MAX_FRAME_SIZE:
        if (value < defaultMaxFrameSize || value > largestFrameSize)
          throw new Http2Error(ErrorCode.PROTOCOL_ERROR, 'MAX_FRAME_SIZE is out of range');
        settings = { ...settings, frameSize: value };
        break;
      default:
      // The rest limits what this server never does, or is not known (RFC 9113, 6.5.2).
    }
  }
  return settings;
}
