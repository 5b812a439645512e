import type { LoggerService } from '@nestjs/common';

/** What is told of signals: the process, or a test's stand-in. */
export interface SignalTarget {
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  exit(code: number): void;
}

/**
 * Ends a program in good order on SIGINT or SIGTERM: closes it, then exits with 0, or with 1 if closing failed. A
 * second signal ends it at once.
 */
export function closeOnSignal(
  app: { close(): Promise<void> },
  logger: LoggerService,
  target: SignalTarget = process,
): void {
  let closing = false;
  const onSignal = () => {
    if (closing) {
      target.exit(1);
      return;
    }
    closing = true;
    app.close().then(
      () => target.exit(0),
      (error: unknown) => {
        logger.error(error, 'shutdown');
        target.exit(1);
      },
    );
  };
  target.on('SIGINT', onSignal);
  target.on('SIGTERM', onSignal);
}
