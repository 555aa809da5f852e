import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createDatabase, freePort, startTokenIssuer, testKafka, waitFor } from '#libs/testing';

const main = fileURLToPath(new URL('../../../dist/apps/todos/src/main.js', import.meta.url));

describe('the process of a service', () => {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  it('sends the spans of its last requests before it ends', async () => {
    const spans = await startCollector();
    const [database, issuer, port] = [await createDatabase(), await startTokenIssuer(), await freePort()];
    ends.push(
      () => issuer.stop(),
      () => database.drop(),
    );
    const { brokers, topicPrefix } = testKafka();
    const env = {
      DATABASE_URL: database.url,
      KAFKA_BROKERS: brokers,
      TOPIC_PREFIX: topicPrefix,
      TOPIC_PARTITIONS: '1',
      JWKS_URL: issuer.jwksUrl,
      PORT: String(port),
      METRICS_PORT: '0',
      DRAIN_DELAY: '0ms',
      OTEL_EXPORTER_OTLP_ENDPOINT: spans.url,
    };
    const [migrated] = await once(run(env, 'migrate'), 'exit');
    expect(migrated).toBe(0);
    const service = run(env);
    await waitFor(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok, { timeout: 90_000 });
    await fetch(`http://127.0.0.1:${port}/api/v1/lists/the-last-one`);
    service.kill('SIGTERM');
    const [code] = await once(service, 'exit');
    expect(code).toBe(0);
    expect(spans.received()).toContain('/api/v1/lists/the-last-one');
  }, 150_000);

  function run(env: Record<string, string>, ...args: string[]): ChildProcess {
    const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, ...env }, stdio: 'ignore' });
    ends.unshift(() => child.kill('SIGKILL'));
    return child;
  }

  /** Receives traces by OTLP over HTTP. */
  async function startCollector() {
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      request.setEncoding('latin1').on('data', (text: string) => bodies.push(text));
      request.on('end', () => response.writeHead(200).end());
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    ends.push(() => server.close());
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received: () => bodies.join('') };
  }
});
