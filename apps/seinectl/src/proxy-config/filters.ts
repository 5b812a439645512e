/** What `proxy-config` narrows by; an absent filter lets all pass. */
export interface Filters {
  readonly port?: number | undefined;
  /** Part of a host, as istioctl takes it. */
  readonly fqdn?: string | undefined;
  readonly subset?: string | undefined;
  readonly direction?: string | undefined;
  /** Exact name of the resource. */
  readonly name?: string | undefined;
}
