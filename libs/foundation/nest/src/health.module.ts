import { Controller, Get, Global, Injectable, Module, ServiceUnavailableException } from '@nestjs/common';

/** What has to hold before a program takes traffic: each part adds its own check. */
@Injectable()
export class HealthChecks {
  readonly #checks = new Map<string, () => boolean>();

  /** @param ready is asked at every request, so it must be cheap */
  add(name: string, ready: () => boolean): void {
    this.#checks.set(name, ready);
  }

  /** Names of what is not ready. */
  failing(): readonly string[] {
    return [...this.#checks].filter(([, ready]) => !ready()).map(([name]) => name);
  }
}

@Controller()
export class HealthController {
  constructor(private readonly checks: HealthChecks) {}

  /** 200 when everything is ready, else 503 with what is not. */
  @Get('ready')
  ready(): { readonly status: string } {
    const failing = this.checks.failing();
    if (failing.length > 0) throw new ServiceUnavailableException({ status: 'not ready', waitingFor: failing });
    return { status: 'ready' };
  }

  /** 200 as long as the program can answer at all. */
  @Get('healthz')
  healthz(): { readonly status: string } {
    return { status: 'ok' };
  }
}

/** GET /ready and GET /healthz. */
@Global()
@Module({ controllers: [HealthController], providers: [HealthChecks], exports: [HealthChecks] })
export class HealthModule {}
