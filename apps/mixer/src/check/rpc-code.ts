/** The google.rpc.Codes that checks themselves give. */
export const RpcCode = { OK: 0, PERMISSION_DENIED: 7, RESOURCE_EXHAUSTED: 8, INTERNAL: 13 } as const;
