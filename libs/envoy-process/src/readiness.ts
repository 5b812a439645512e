import { get } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 50;
const askMs = 2000;

/** Where an Envoy's admin interface or an application listens. */
export type Endpoint = { readonly host: string; readonly port: number } | { readonly socketPath: string };

/** Resolves when Envoy says that it is LIVE: pilot has answered, and its listeners are open. */
export async function untilEnvoyLive(admin: Endpoint, signal: AbortSignal): Promise<void> {
  await until(async () => (await envoyState(admin)) === 'LIVE', signal);
}

/** Resolves when something accepts connections there. */
export async function untilListening(endpoint: Endpoint, signal: AbortSignal): Promise<void> {
  await until(() => accepts(endpoint), signal);
}

/** Polls until it is so. Rejects when the signal comes first. */
async function until(condition: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    if (await condition()) return;
    await delay(pollMs, undefined, { signal });
  }
}

/** `state` of /server_info; undefined while nobody answers. */
export async function envoyState(admin: Endpoint): Promise<string | undefined> {
  return await new Promise((resolve) => {
    const request = get({ ...admin, path: '/server_info', timeout: askMs, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', () => resolve(undefined));
      response.on('end', () => resolve(stateIn(text)));
    });
    request.on('timeout', () => request.destroy());
    // Not there yet, or no more.
    request.on('error', () => resolve(undefined));
  });
}

function stateIn(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { state?: string }).state;
  } catch {
    // Not Envoy's admin interface, or not all of its answer.
    return undefined;
  }
}

async function accepts(endpoint: Endpoint): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect('socketPath' in endpoint ? { path: endpoint.socketPath } : endpoint);
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(askMs, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
