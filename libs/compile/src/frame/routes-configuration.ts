import { create } from '@bufbuild/protobuf';
import { encodeResource } from '@seine/envoy';
import { type RouteConfiguration, RouteConfigurationSchema } from '@seine/envoy/envoy/config/route/v3/route_pb.js';

/** Istio's limit for `directResponse` bodies; Envoy's own default is 4 KiB. */
const maxDirectResponseBodyBytes = 1024 * 1024;

export interface RouteConfigurationOptions {
  /**
   * Match domains against the host without its port: true for sidecars and gateways, whose listener fixes the port; false for
   * `http_proxy`, where the port of the Host header tells services apart. Default true.
   */
  readonly ignorePort?: boolean | undefined;
}

/** A route configuration without its virtual hosts. Clusters are not validated, so that routes may arrive before them. */
export function routeConfigurationShell(name: string, options: RouteConfigurationOptions = {}): RouteConfiguration {
  return create(RouteConfigurationSchema, {
    name,
    validateClusters: false,
    maxDirectResponseBodySizeBytes: maxDirectResponseBodyBytes,
    ignorePortInHostMatching: options.ignorePort ?? true,
  });
}

/** RouteConfiguration.virtual_hosts: field 2, length-delimited. */
const virtualHostsTag = (2 << 3) | 2;

/**
 * Encodes a route configuration from its shell and virtual hosts that are bytes already. The result is what encoding the
 * whole message would give: `name` (field 1), the virtual hosts (field 2) in the given order, then the shell's other fields.
 * @throws Error if the shell holds virtual hosts itself
 */
export function spliceRouteConfiguration(shell: RouteConfiguration, virtualHosts: readonly Uint8Array[]): Buffer {
  if (shell.virtualHosts.length > 0)
    throw new Error(`the shell of route configuration ${shell.name} has virtual hosts`);
  const shellBytes = encodeResource(RouteConfigurationSchema, shell);
  const nameLength = Buffer.byteLength(shell.name);
  const head = nameLength === 0 ? 0 : 1 + varintLength(nameLength) + nameLength;
  let total = shellBytes.length;
  for (const host of virtualHosts) total += 1 + varintLength(host.length) + host.length;

  const out = Buffer.allocUnsafe(total);
  out.set(shellBytes.subarray(0, head));
  let at = head;
  for (const host of virtualHosts) {
    out[at++] = virtualHostsTag;
    at = writeVarint(out, at, host.length);
    out.set(host, at);
    at += host.length;
  }
  out.set(shellBytes.subarray(head), at);
  return out;
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}

function writeVarint(out: Buffer, offset: number, value: number): number {
  let at = offset;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out[at++] = (rest % 0x80) | 0x80;
  out[at++] = rest;
  return at;
}
