import { Controller, Get, Inject, ServiceUnavailableException } from '@nestjs/common';
import { MeshFollower } from './mesh-follower.js';
import { type PolicyReport, policyReport } from './policy-report.js';

/** What an operator looks at. Bound to loopback by default: it shows all rules. */
@Controller('debug')
export class PolicyController {
  constructor(@Inject(MeshFollower) private readonly follower: MeshFollower) {}

  /** Rules, handlers, instances and quotas as they are at work, and what is wrong with them. */
  @Get('policy')
  policy(): PolicyReport {
    const running = this.follower.policy();
    if (!running) throw new ServiceUnavailableException('the mesh is not known yet');
    return policyReport(running, this.follower.revision);
  }
}
