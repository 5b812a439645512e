import { debianProgram } from './debian-package.js';
import { envoyBinary } from './envoy.js';
import { opaProgram } from './opa-server.js';
import { prometheusProgram } from './prometheus.js';
import { javaProgram, zipkinJar } from './zipkin.js';

/** How each real server that tests need is found, installed or built; by the name under which its path is shown. */
const finders: Readonly<Record<string, () => Promise<string>>> = {
  envoy: envoyBinary,
  redis: () => debianProgram({ package: 'redis-server', program: 'redis-server' }),
  /** A jar; `java` runs it. */
  zipkin: zipkinJar,
  java: javaProgram,
  prometheus: prometheusProgram,
  /** Built by Go where it is not there. */
  opa: opaProgram,
  promtool: () => debianProgram({ package: 'prometheus', program: 'promtool' }),
  /** Generates the load of `npm run bench -- sidecar-cost`. */
  h2load: () => debianProgram({ package: 'nghttp2-client', program: 'h2load' }),
};

/**
 * Makes every real server be there, one after the other, as apt takes one caller at a time.
 * @returns their paths, by name
 * @throws (rejects) Error with all that could not be had, and what to do about each
 */
export async function testServers(
  progress: (line: string) => void = () => undefined,
): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  const missing: string[] = [];
  for (const [name, find] of Object.entries(finders)) {
    progress(name);
    try {
      found[name] = await find();
    } catch (error) {
      missing.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (missing.length > 0) throw new Error(missing.join('\n'));
  return found;
}
