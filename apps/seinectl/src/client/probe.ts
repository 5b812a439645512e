import http from 'node:http';

/**
 * Whether somebody answers there within the time: TLS ports with a certificate, gRPC ports with HTTP/2 settings, all
 * others with any HTTP status.
 */
export async function answers(url: string, grpc: boolean, timeoutMs: number): Promise<boolean> {
  if (url.startsWith('https:')) return answersTls(url, timeoutMs);
  return grpc ? answersHttp2(url, timeoutMs) : answersHttp(url, timeoutMs);
}

function answersHttp(url: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const call = http.get(url, { signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      response.destroy();
      resolve(true);
    });
    call.on('error', () => resolve(false));
  });
}

async function answersTls(url: string, timeoutMs: number): Promise<boolean> {
  const { connect } = await import('node:tls');
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    // Nothing is sent: whose certificate it is does not matter to whether somebody is there.
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    const finish = (answered: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answered);
    };
    const timer = setTimeout(() => finish(false), timeoutMs);
    socket.once('secureConnect', () => finish(true));
    socket.on('error', () => finish(false));
  });
}

async function answersHttp2(url: string, timeoutMs: number): Promise<boolean> {
  const { connect } = await import('node:http2');
  return new Promise((resolve) => {
    const session = connect(url);
    const finish = (answered: boolean): void => {
      clearTimeout(timer);
      session.destroy();
      resolve(answered);
    };
    const timer = setTimeout(() => finish(false), timeoutMs);
    session.once('remoteSettings', () => finish(true));
    session.on('error', () => finish(false));
  });
}
