import {
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  Inject,
  Injectable,
  UnauthorizedException,
} from '@nestjs/common';
import { AdminToken } from './admin-token.js';

interface Request {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly socket: { readonly remoteAddress?: string };
}

const loopback = /^(?:127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;

/** Lets in who is on this machine and shows the admin token: it would go in plain text over a network. */
@Injectable()
export class AdminGuard implements CanActivate {
  constructor(@Inject(AdminToken) private readonly token: AdminToken) {}

  canActivate(context: ExecutionContext): boolean {
    const { headers, socket } = context.switchToHttp().getRequest<Request>();
    if (!loopback.test(socket.remoteAddress ?? ''))
      throw new ForbiddenException('this is for callers on citadel’s own machine; forward the port to it');
    const shown = /^Bearer (.+)$/i.exec(String(headers['authorization'] ?? ''))?.[1];
    if (shown === undefined || !this.token.matches(shown))
      throw new UnauthorizedException('show the token of citadel’s file admin.token: authorization: Bearer TOKEN');
    return true;
  }
}
