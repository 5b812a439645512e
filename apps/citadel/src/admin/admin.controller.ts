import {
  BadRequestException,
  Body,
  ConflictException,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  NotFoundException,
  Post,
  Query,
  ServiceUnavailableException,
  UseGuards,
} from '@nestjs/common';
import type {
  AuthorityReport,
  DenialRequest,
  IssuedReport,
  JoinTokenRequest,
  JoinTokenResponse,
  RotateRequest,
} from '@seine/api';
import {
  activateRoot,
  type AuthorityState,
  cancelRotation,
  makeRoot,
  prepareRoot,
  retireRoots,
  type StepOutcome,
} from '@seine/ca';
import { CitadelService, isWorkloadId } from '../citadel.service.js';
import type { Denial } from '../state/deny-list.js';
import { AdminGuard } from './admin.guard.js';
import { reportAuthority, reportIssued } from './reports.js';

/** Ten years, as Istio's self-signed roots have. */
export const rootLifetimeMs = 10 * 365 * 86_400_000;
const longestJoinSeconds = 30 * 86_400;
const defaultJoinSeconds = 3600;
const steps: readonly unknown[] = ['start', 'prepare', 'activate', 'retire', 'cancel'];

/** What operators do with the authority. */
@Controller('ca')
@UseGuards(AdminGuard)
export class AdminController {
  constructor(@Inject(CitadelService) private readonly citadel: CitadelService) {}

  @Get()
  authority(): AuthorityReport {
    return reportAuthority(this.citadel);
  }

  @Get('certificates')
  async certificates(
    @Query('identity') identity?: string,
    @Query('all') all?: string,
  ): Promise<readonly IssuedReport[]> {
    const records = this.citadel.records();
    if (!records) throw new NotFoundException('this citadel keeps no audit log that it could read');
    return await reportIssued(records, { identity, ended: all === 'true', now: this.citadel.now() });
  }

  @Post('rotate')
  @HttpCode(200)
  async rotate(@Body() request: RotateRequest): Promise<AuthorityReport> {
    const { step, force = false } = request;
    if (!steps.includes(step)) throw new BadRequestException(`step is one of ${steps.join(', ')}`);
    if (typeof force !== 'boolean') throw new BadRequestException('force is true or false');
    const change = await this.#change(step, force);
    const outcome = tried(() => this.citadel.keeper.step(change));
    if ('refusal' in outcome) throw new ConflictException(outcome.refusal);
    this.citadel.administered(`root ${step}`, force ? { reason: 'forced' } : {});
    return reportAuthority(this.citadel);
  }

  @Get('denied')
  denied(): readonly Denial[] {
    return this.citadel.denials.list().denied;
  }

  @Post('denied')
  @HttpCode(200)
  deny(@Body() { spiffeId, reason = '' }: DenialRequest): readonly Denial[] {
    if (typeof spiffeId !== 'string' || !isWorkloadId(spiffeId))
      throw new BadRequestException('spiffeId is spiffe://TRUST_DOMAIN/ns/NAMESPACE/sa/ACCOUNT');
    if (typeof reason !== 'string' || reason.length > 1000) throw new BadRequestException('reason is a short text');
    tried(() => this.citadel.deny(spiffeId, reason));
    this.citadel.administered('deny', { spiffeId, reason });
    return this.denied();
  }

  @Delete('denied')
  allow(@Query('id') spiffeId = ''): readonly Denial[] {
    if (!tried(() => this.citadel.denials.remove(spiffeId))) throw new NotFoundException(`${spiffeId} is not denied`);
    this.citadel.administered('allow', { spiffeId });
    return this.denied();
  }

  @Post('tokens')
  @HttpCode(200)
  token(@Body() request: JoinTokenRequest): JoinTokenResponse {
    const { namespace, serviceAccount, ttl = defaultJoinSeconds } = request;
    const spiffeId = `spiffe://${this.citadel.trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
    if (!isWorkloadId(spiffeId)) throw new BadRequestException(`${spiffeId} is no identity of a workload`);
    if (!Number.isInteger(ttl) || ttl < 1 || ttl > longestJoinSeconds)
      throw new BadRequestException(`ttl is a number of seconds from 1 to ${longestJoinSeconds}`);
    if (this.citadel.denials.isDenied(spiffeId)) throw new ConflictException(`${spiffeId} is revoked`);
    const token = tried(() => this.citadel.createJoinToken({ namespace, serviceAccount }, ttl * 1000));
    this.citadel.administered('join token', { spiffeId });
    return { token, spiffeId, expiresAt: new Date(this.citadel.now() + ttl * 1000).toISOString() };
  }

  async #change(step: RotateRequest['step'], force: boolean): Promise<(state: AuthorityState) => StepOutcome> {
    const { citadel } = this;
    const now = citadel.now();
    const { fixed } = citadel.keeper;
    switch (step) {
      case 'start':
      case 'prepare': {
        if (fixed !== undefined) throw new ConflictException(fixed);
        const made = await makeRoot({ trustDomain: citadel.trustDomain, now, lifetimeMs: rootLifetimeMs });
        const { roots: root, ...files } = made;
        return (state) => prepareRoot(state, { ...files, root }, { now, auto: step === 'start' });
      }
      case 'activate':
        return (state) =>
          activateRoot(state, { now, spread: citadel.spread(), force, longestLeafMs: citadel.longestLeafMs });
      case 'retire':
        return (state) => retireRoots(state, { now, force });
      case 'cancel':
        if (fixed !== undefined) throw new ConflictException(fixed);
        return cancelRotation;
    }
  }
}

/** What is to be kept and cannot be: nothing has changed. */
function tried<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new ServiceUnavailableException(
      `nothing has changed, as it cannot be kept: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
