import { createApp } from './app.js';
import { OptionsError, parseOptions } from './options.js';

function main(): void {
  const options = parseOptions(process.argv.slice(2), process.env);
  const server = createApp(options);
  server.once('error', (error) => {
    console.error(`${options.role} cannot listen on ${options.host}:${options.port}: ${error.message}`);
    process.exit(1);
  });
  server.listen(options.port, options.host, () => {
    console.log(`${options.podName} listens on ${options.host}:${options.port}`);
  });
}

try {
  main();
} catch (error) {
  if (!(error instanceof OptionsError)) throw error;
  console.error(error.message);
  process.exit(2);
}
