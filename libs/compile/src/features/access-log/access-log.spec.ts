import { describe, expect, it } from '@jest/globals';
import { toEnvoyJson } from '@seine/envoy';
import { AccessLogSchema } from '@seine/envoy/envoy/config/accesslog/v3/accesslog_pb.js';
import { defaultMeshConfig } from '@seine/model';
import { chainContext } from '../../inputs.js';
import { emitAccessLog, emitListenerAccessLog } from './access-log.js';

const config = (accessLogFile: string) => chainContext('outbound', { config: { ...defaultMeshConfig, accessLogFile } });

describe('access log', () => {
  it.each([
    ['/dev/stdout', 'envoy.access_loggers.stdout'],
    ['/dev/stderr', 'envoy.access_loggers.stderr'],
    ['/var/log/x', 'envoy.access_loggers.file'],
  ])('to %s is written by %s', (path, name) => {
    const [log] = emitAccessLog(config(path)).map((entry) => toEnvoyJson(AccessLogSchema, entry));
    expect(log).toMatchObject({
      name,
      typed_config: {
        log_format: {
          text_format_source: { inline_string: expect.stringMatching(/^\[%START_TIME%\] .*%ROUTE_NAME%\n$/) },
        },
      },
    });
    expect(log).not.toHaveProperty('filter');
  });

  it('names its file', () => {
    expect(toEnvoyJson(AccessLogSchema, emitAccessLog(config('/var/log/x'))[0]!)).toMatchObject({
      typed_config: { path: '/var/log/x' },
    });
  });

  it('of a listener has only connections no chain took', () => {
    expect(toEnvoyJson(AccessLogSchema, emitListenerAccessLog(config('/dev/stdout'))[0]!)).toMatchObject({
      filter: { response_flag_filter: { flags: ['NR'] } },
    });
  });

  it('is off where the mesh config names no file', () => {
    expect([...emitAccessLog(config('')), ...emitListenerAccessLog(config(''))]).toEqual([]);
  });
});
