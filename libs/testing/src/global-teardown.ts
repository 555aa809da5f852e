import './global-setup.js';

export default async function teardown(): Promise<void> {
  await Promise.all((globalThis.tasklaneTestServers ?? []).map((server) => server.remove()));
  globalThis.tasklaneTestServers = undefined;
}
