import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import {
  type CheckRequest,
  CheckRequestSchema,
  type CheckResponse,
  CheckResponseSchema,
} from '@seine/envoy/envoy/service/auth/v3/external_auth_pb.js';
import { StatusCode } from '@seine/envoy/envoy/type/v3/http_status_pb.js';

/** One question as the service got it. */
export interface Check {
  readonly by: 'http' | 'grpc';
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The caller's identity, where Envoy names it. */
  readonly principal: string;
  /** What the asking proxy says beside (context extensions). */
  readonly context: Readonly<Record<string, string>>;
}

export interface Verdict {
  readonly allow: boolean;
  /** Of the answer when refused; default 403. */
  readonly status?: StatusCode;
  readonly body?: string;
  /** Allowed: for the upstream; refused: for the client. By HTTP all are in the answer, and the proxy picks. */
  readonly headers?: Readonly<Record<string, string>>;
}

const service = {
  check: {
    path: '/envoy.service.auth.v3.Authorization/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: (message: CheckRequest) => Buffer.from(toBinary(CheckRequestSchema, message)),
    requestDeserialize: (bytes: Buffer) => fromBinary(CheckRequestSchema, bytes),
    responseSerialize: (message: CheckResponse) => Buffer.from(toBinary(CheckResponseSchema, message)),
    responseDeserialize: (bytes: Buffer) => fromBinary(CheckResponseSchema, bytes),
  },
} as const;

const denied = 7;

/** Someone whom proxies ask (ext_authz), by HTTP and by gRPC: refuses what has the header `x-refuse`, unless told otherwise. */
export class ExtAuthzService {
  readonly asked: Check[] = [];
  /** Decides; undefined leaves the question without an answer. */
  decide: (check: Check) => Verdict | undefined = refuseByHeader;
  #grpc: Server | undefined;
  #http: http.Server | undefined;
  #ports = { http: 0, grpc: 0 };

  get ports(): { readonly http: number; readonly grpc: number } {
    return this.#ports;
  }

  reset(): void {
    this.asked.length = 0;
    this.decide = refuseByHeader;
  }

  /** Listens on ports of its own; after `close` on the same ones again. */
  async listen(host = '127.0.0.1'): Promise<void> {
    const server = http.createServer((request, response) => void this.#answerHttp(request, response));
    server.keepAliveTimeout = 60_000;
    this.#http = server;
    await new Promise<void>((resolve) => server.listen(this.#ports.http, host, resolve));
    const grpc = new Server();
    grpc.addService(service, {
      check: (call: ServerUnaryCall<CheckRequest, CheckResponse>, reply: sendUnaryData<CheckResponse>) =>
        this.#answerGrpc(call.request, reply),
    });
    this.#grpc = grpc;
    const grpcPort = await new Promise<number>((resolve, reject) => {
      grpc.bindAsync(`${host}:${this.#ports.grpc}`, ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
    this.#ports = { http: (server.address() as AddressInfo).port, grpc: grpcPort };
  }

  async close(): Promise<void> {
    this.#grpc?.forceShutdown();
    const server = this.#http;
    this.#grpc = this.#http = undefined;
    server?.closeAllConnections();
    await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
  }

  async #answerHttp(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]));
    const { method = '', url: path = '' } = request;
    const verdict = this.#judge({ by: 'http', method, path, headers, body, principal: '', context: {} });
    if (!verdict) return;
    response.writeHead(verdict.allow ? 200 : (verdict.status ?? 403), { ...verdict.headers });
    response.end(verdict.body ?? '');
  }

  #answerGrpc({ attributes }: CheckRequest, reply: sendUnaryData<CheckResponse>): void {
    const asked = attributes?.request?.http;
    if (!asked) {
      reply(new Error('a check without a request'));
      return;
    }
    const { method, path, headers, body } = asked;
    const verdict = this.#judge({
      by: 'grpc',
      method,
      path,
      headers,
      body,
      principal: attributes.source?.principal ?? '',
      context: attributes.contextExtensions,
    });
    if (verdict) reply(null, responseOf(verdict));
  }

  #judge(check: Check): Verdict | undefined {
    this.asked.push(check);
    return this.decide(check);
  }
}

function responseOf({ allow, status = StatusCode.Forbidden, headers = {}, body = '' }: Verdict): CheckResponse {
  const added = Object.entries(headers).map(([key, value]) => ({ header: { key, value } }));
  return create(CheckResponseSchema, {
    status: { code: allow ? 0 : denied },
    httpResponse: allow
      ? { case: 'okResponse', value: { headers: added } }
      : { case: 'deniedResponse', value: { status: { code: status }, headers: added, body } },
  });
}

function refuseByHeader({ headers }: Check): Verdict {
  return { allow: headers['x-refuse'] === undefined };
}
