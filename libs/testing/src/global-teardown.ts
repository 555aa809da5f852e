import './global-setup.js';

/** Stops the shared servers and deletes their data. */
export default async function teardown(): Promise<void> {
  await Promise.all((globalThis.tasklaneTestServers ?? []).map((server) => server.remove()));
  globalThis.tasklaneTestServers = undefined;
}
