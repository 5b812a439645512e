import { BadRequestException, Controller, Get, Header, Inject, Query } from '@nestjs/common';
import type { DeniedReport } from '@seine/api';
import type { SpiffeBundle } from '@seine/ca';
import { CitadelService } from '../citadel.service.js';

const longestWaitSeconds = 60;

/** What everybody may know: by which roots the mesh's certificates are verified, and which identities are denied. */
@Controller()
export class BundleController {
  constructor(@Inject(CitadelService) private readonly citadel: CitadelService) {}

  @Get('bundle')
  bundle(): SpiffeBundle {
    return this.citadel.bundle();
  }

  @Get('root-cert.pem')
  @Header('content-type', 'application/x-pem-file')
  roots(): string {
    return this.citadel.roots();
  }

  /**
   * Who is denied, as a list of revocations is public. With `since` and `wait` it answers when the list is another
   * than that of the revision, or after so many seconds.
   */
  @Get('denied')
  async denied(@Query('since') since?: string, @Query('wait') wait = '0'): Promise<DeniedReport> {
    const seconds = Number(wait);
    if (!(seconds >= 0 && seconds <= longestWaitSeconds))
      throw new BadRequestException(`wait is a number of seconds up to ${longestWaitSeconds}`);
    const { denials } = this.citadel;
    if (since !== undefined && seconds > 0 && Number(since) === denials.list().revision)
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          end();
          resolve();
        };
        const timer = setTimeout(done, seconds * 1000);
        timer.unref();
        const end = denials.onChange(done);
      });
    const { revision, denied } = denials.list();
    return { revision, denied: denied.map(({ spiffeId }) => spiffeId) };
  }
}
