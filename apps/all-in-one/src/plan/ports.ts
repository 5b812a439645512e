/** Ports that users know. */
export const ingressPort = 8080;
export const prometheusPort = 15_090;
export const readyPort = 15_021;

/** Where allocation begins on 127.0.0.1, clear of the ports that systems hand out to clients. */
export const firstPort = { admin: 15_100, app: 19_100, inbound: 19_300, httpProxy: 19_500 } as const;

/** The ports of 127.0.0.1 that a plan for so many pods may take, with room for busy ones. */
export function probedPorts(pods: number): number[] {
  return Object.values(firstPort).flatMap((first) => Array.from({ length: 2 * pods + 50 }, (_, i) => first + i));
}
