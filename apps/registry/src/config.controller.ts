import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type {
  ApplyRequest,
  ApplyResponse,
  DeleteRequest,
  DeleteResponse,
  GetRequest,
  GetResponse,
  ListDiagnosticsResponse,
  ListRequest,
  ListResponse,
  WatchRequest,
  WatchResponse,
} from '@seine/api';
import type { Store } from '@seine/ports';
import type { Observable } from 'rxjs';
import { diagnosticMessage, orEmpty, storedObjectMessage } from './messages.js';
import { RegistryService } from './registry.service.js';
import { STORE } from './tokens.js';
import { watchObjects } from './watch-objects.js';

const service = 'ConfigService';

/** One text that is no JSON becomes a value that no object can be, so that it is rejected like any other. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The client hears of it by the result of this object; the others of the request go on.
    return text;
  }
}

/** The gRPC config API: the registry's service, in messages. */
@Controller()
export class ConfigController {
  constructor(
    @Inject(RegistryService) private readonly registry: RegistryService,
    @Inject(STORE) private readonly store: Store,
  ) {}

  @GrpcMethod(service, 'Apply')
  async apply(request: ApplyRequest): Promise<ApplyResponse> {
    const { revision, results } = await this.registry.apply(request.objects.map(parseJson), request.dryRun);
    return {
      revision,
      results: results.map(({ id, result, note, diagnostics }) => ({
        id: id ?? null,
        result,
        note,
        diagnostics: diagnostics.map(diagnosticMessage),
      })),
    };
  }

  @GrpcMethod(service, 'Delete')
  delete(request: DeleteRequest): Promise<DeleteResponse> {
    return this.registry.delete(request.objects);
  }

  @GrpcMethod(service, 'Get')
  async get(request: GetRequest): Promise<GetResponse> {
    await this.registry.whenStarted();
    const found = this.registry.get(orEmpty(request.id));
    const [entry] = this.registry.withStatus(found ? [found] : []);
    return { object: entry ? storedObjectMessage(entry) : null };
  }

  @GrpcMethod(service, 'List')
  async list({ kind, namespace }: ListRequest): Promise<ListResponse> {
    await this.registry.whenStarted();
    const { revision } = await this.store.snapshot();
    const entries = this.registry.withStatus(this.registry.list(kind, namespace));
    return { objects: entries.map(storedObjectMessage), revision };
  }

  @GrpcMethod(service, 'Watch')
  watch(request: WatchRequest): Observable<WatchResponse> {
    return watchObjects(this.registry, this.store, request);
  }

  @GrpcMethod(service, 'ListDiagnostics')
  async listDiagnostics(): Promise<ListDiagnosticsResponse> {
    await this.registry.whenStarted();
    return { diagnostics: this.registry.diagnostics().map(diagnosticMessage) };
  }
}
