import { ErrorCode, FrameType, Http2Error } from './frames.js';

/** Whether a type of frame belongs to a stream or to the connection, and which sizes it may have. */
interface FrameRule {
  readonly name: string;
  readonly onStream: boolean | undefined;
  readonly hasSize: (bytes: number) => boolean;
}

const exactly = (size: number) => (bytes: number) => bytes === size;
const any = () => true;

const rules: Readonly<Record<number, FrameRule>> = {
  [FrameType.DATA]: { name: 'DATA', onStream: true, hasSize: any },
  [FrameType.HEADERS]: { name: 'HEADERS', onStream: true, hasSize: any },
  [FrameType.PRIORITY]: { name: 'PRIORITY', onStream: true, hasSize: exactly(5) },
  [FrameType.RST_STREAM]: { name: 'RST_STREAM', onStream: true, hasSize: exactly(4) },
  [FrameType.SETTINGS]: { name: 'SETTINGS', onStream: false, hasSize: (bytes) => bytes % 6 === 0 },
  [FrameType.PING]: { name: 'PING', onStream: false, hasSize: exactly(8) },
  [FrameType.GOAWAY]: { name: 'GOAWAY', onStream: false, hasSize: (bytes) => bytes >= 8 },
  [FrameType.WINDOW_UPDATE]: { name: 'WINDOW_UPDATE', onStream: undefined, hasSize: exactly(4) },
  [FrameType.CONTINUATION]: { name: 'CONTINUATION', onStream: true, hasSize: any },
};

/** Checks what is fixed for each type (RFC 9113, section 6). Throws Http2Error for the connection. */
export function checkFrame(type: number, streamId: number, bytes: number): void {
  const rule = rules[type];
  if (!rule) return;
  if (rule.onStream !== undefined && rule.onStream !== streamId > 0)
    throw new Http2Error(ErrorCode.PROTOCOL_ERROR, `${rule.name} on stream ${streamId}`);
  if (!rule.hasSize(bytes)) throw new Http2Error(ErrorCode.FRAME_SIZE_ERROR, `${rule.name} of ${bytes} bytes`);
}
