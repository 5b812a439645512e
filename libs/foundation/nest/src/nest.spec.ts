import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Inject, Injectable, type INestApplication, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Counter, type Registry } from 'prom-client';
import { ConfigModule, configToken } from './config.module.js';
import { HealthChecks, HealthModule } from './health.module.js';
import { JsonLogger } from './logger.js';
import { METRICS, MetricsModule } from './metrics.module.js';
import { closeOnSignal } from './shutdown.js';

const settings = configToken<{ readonly greeting: string }>('settings');

@Injectable()
class Greeter {
  constructor(@Inject(settings) readonly config: { readonly greeting: string }) {}
}

@Module({
  imports: [ConfigModule.register(settings, { greeting: 'salut' }), MetricsModule, HealthModule],
  providers: [Greeter],
})
class TestModule {}

describe('a Nest program', () => {
  let app: INestApplication;
  const get = async (path: string) => {
    const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, text: await response.text() };
  };
  beforeEach(async () => {
    Logger.overrideLogger(false);
    app = await NestFactory.create(TestModule);
    await app.listen(0, '127.0.0.1');
  });
  afterEach(() => app.close());

  it('serves its metrics', async () => {
    const registry = app.get<Registry>(METRICS);
    new Counter({ name: 'seine_test_total', help: 'a test', registers: [registry] }).inc(3);
    const { status, text } = await get('/metrics');
    expect(status).toBe(200);
    expect(text).toContain('seine_test_total 3');
    expect(text).toContain('nodejs_heap_size_used_bytes');
  });

  it('is ready when all checks hold, and alive before', async () => {
    let synced = false;
    app.get(HealthChecks).add('first sync', () => synced);
    const waiting = await get('/ready');
    expect([waiting.status, waiting.text]).toEqual([503, expect.stringContaining('first sync')]);
    expect((await get('/healthz')).status).toBe(200);
    synced = true;
    expect((await get('/ready')).status).toBe(200);
  });

  it('injects its settings, frozen', () => {
    const { config } = app.get(Greeter);
    expect([config, Object.isFrozen(config)]).toEqual([{ greeting: 'salut' }, true]);
  });
});

describe('JsonLogger', () => {
  it.each<[string, (logger: JsonLogger) => void, Readonly<Record<string, unknown>>]>([
    ['a message with its context', (l) => l.log('up', 'Main'), { level: 30, msg: 'up', context: 'Main', name: 'test' }],
    ['a warning', (l) => l.warn('careful'), { level: 40, msg: 'careful' }],
    ['an error with its stack', (l) => l.error(new Error('bad')), { level: 50, msg: 'bad' }],
    ['further values', (l) => l.error('bad', { port: 1 }), { level: 50, details: [{ port: 1 }] }],
  ])('writes %s as JSON', (_, write, expected) => {
    const lines: string[] = [];
    write(new JsonLogger({ name: 'test', destination: { write: (line) => void lines.push(line) } }));
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([expect.objectContaining(expected)]);
  });

  it('leaves out what is below its level', () => {
    const lines: string[] = [];
    const logger = new JsonLogger({
      name: 'test',
      level: 'warn',
      destination: { write: (line) => void lines.push(line) },
    });
    logger.log('quiet');
    logger.debug('quieter');
    logger.verbose('quietest');
    logger.fatal('loud');
    expect(lines).toHaveLength(1);
  });
});

describe('closeOnSignal', () => {
  const logger = new JsonLogger({ name: 'test', level: 'silent' });
  const start = (close: () => Promise<void>) => {
    const listeners: (() => void)[] = [];
    const codes: number[] = [];
    const exited = new Promise<void>((resolve) => {
      const exit = (code: number) => {
        codes.push(code);
        resolve();
      };
      closeOnSignal({ close }, logger, { on: (_, listener) => listeners.push(listener), exit });
    });
    return { signal: () => listeners[0]!(), codes, exited };
  };

  it.each<[string, () => Promise<void>, number]>([
    ['0 after closing', () => Promise.resolve(), 0],
    ['1 when closing fails', () => Promise.reject(new Error('stuck')), 1],
  ])('exits with %s', async (_, close, code) => {
    const program = start(close);
    program.signal();
    await program.exited;
    expect(program.codes).toEqual([code]);
  });

  it('exits at once on a second signal', () => {
    const program = start(() => new Promise(() => undefined));
    program.signal();
    expect(program.codes).toEqual([]);
    program.signal();
    expect(program.codes).toEqual([1]);
  });
});
