import './global-setup.js';

/** Ends the shared servers and deletes their data; their last words interest nobody. */
export default async function teardown(): Promise<void> {
  await Promise.all((globalThis.tasklaneTestServers ?? []).map((server) => server.remove()));
  globalThis.tasklaneTestServers = undefined;
}
