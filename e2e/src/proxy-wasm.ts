/**
 * WebAssembly modules for proxies, made byte by byte (WebAssembly core spec, "Binary Format"), so that tests need no
 * compiler: each adds one header to requests and one to responses by proxy-wasm's ABI 0.2.1.
 */

const i32 = 0x7f;

function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest >= 0x80 ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

/** A signed constant: small ones end in a byte whose bit 6 is clear. */
function constant(value: number): number[] {
  const bytes = leb(value);
  const last = bytes.at(-1) ?? 0;
  if (last & 0x40) bytes.splice(-1, 1, last | 0x80, 0);
  return [0x41, ...bytes];
}

const text = (value: string) => [...leb(Buffer.byteLength(value)), ...Buffer.from(value)];
const vector = (items: readonly (readonly number[])[]) => [...leb(items.length), ...items.flat()];
const section = (id: number, content: readonly number[]) => [id, ...leb(content.length), ...content];
const type = (parameters: number, results: number) => [
  0x60,
  ...vector(Array.from({ length: parameters }, () => [i32])),
  ...vector(Array.from({ length: results }, () => [i32])),
];

/** Map types of the ABI. */
const requestHeaders = 0;
const responseHeaders = 2;
/** Where the texts lie in memory. */
const nameAt = 1024;
const valueAt = 2048;
const heapAt = 8192;

/** @param name of the header, on requests and on responses */
export function headerModule(name: string, value: string): Buffer {
  const addHeader = (map: number) => [
    ...constant(map),
    ...constant(nameAt),
    ...constant(Buffer.byteLength(name)),
    ...constant(valueAt),
    ...constant(Buffer.byteLength(value)),
    ...[0x10, 0x00],
    0x1a,
    ...constant(0),
  ];
  // Signature by number of parameters and results, then the code.
  const functions: readonly (readonly [name: string, parameters: number, results: number, code: readonly number[]])[] =
    [
      ['proxy_abi_version_0_2_1', 0, 0, []],
      ['proxy_on_memory_allocate', 1, 1, constant(heapAt)],
      ['proxy_on_context_create', 2, 0, []],
      ['proxy_on_vm_start', 2, 1, constant(1)],
      ['proxy_on_configure', 2, 1, constant(1)],
      ['proxy_on_request_headers', 3, 1, addHeader(requestHeaders)],
      ['proxy_on_response_headers', 3, 1, addHeader(responseHeaders)],
      ['proxy_on_done', 1, 1, constant(1)],
    ];
  const imported = type(5, 1);
  const body = (code: readonly number[]) => {
    const whole = [0x00, ...code, 0x0b];
    return [...leb(whole.length), ...whole];
  };
  const data = (at: number, content: string) => [0x00, ...constant(at), 0x0b, ...text(content)];
  return Buffer.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector([imported, ...functions.map(([, parameters, results]) => type(parameters, results))])),
    ...section(2, vector([[...text('env'), ...text('proxy_add_header_map_value'), 0x00, 0x00]])),
    ...section(3, vector(functions.map((_, i) => leb(i + 1)))),
    ...section(5, vector([[0x00, 0x01]])),
    ...section(
      7,
      vector([
        [...text('memory'), 0x02, 0x00],
        ...functions.map(([exported], i) => [...text(exported), 0x00, ...leb(i + 1)]),
      ]),
    ),
    ...section(10, vector(functions.map(([, , , code]) => body(code)))),
    ...section(11, vector([data(nameAt, name), data(valueAt, value)])),
  ]);
}
