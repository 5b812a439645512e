import { testServers } from './servers.js';

// npm run --silent e2e:servers: paths of the real servers that tests need, as JSON.
try {
  console.log(JSON.stringify(await testServers((line) => console.error(`• ${line}`)), undefined, 2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
