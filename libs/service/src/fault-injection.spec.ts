import { describe, expect, it } from '@jest/globals';
import { fastify } from 'fastify';
import { injectFaults } from './fault-injection.js';

describe('injected faults', () => {
  const serve = (faults: { latency: number; errorRate: number }) => {
    const app = fastify();
    injectFaults(app, faults);
    app.get('/api/v1/things', () => ({ well: true }));
    app.get('/livez', () => ({ well: true }));
    return app;
  };

  it('answer the given share of requests with 503 and when to try again', async () => {
    const app = serve({ latency: 0, errorRate: 0.5 });
    const answers = await Promise.all(Array.from({ length: 400 }, () => app.inject('/api/v1/things')));
    const failed = answers.filter(({ statusCode }) => statusCode === 503);
    expect(failed.length).toBeGreaterThan(120);
    expect(failed.length).toBeLessThan(280);
    expect(failed[0]!.headers['retry-after']).toBe('1');
    expect(failed[0]!.json<{ code: string }>().code).toBe('fault-injected');
  });

  it('hold requests up', async () => {
    const begun = performance.now();
    const { statusCode } = await serve({ latency: 100, errorRate: 0 }).inject('/api/v1/things');
    expect(statusCode).toBe(200);
    expect(performance.now() - begun).toBeGreaterThan(95);
  });

  it('spare the probes', async () => {
    const { statusCode } = await serve({ latency: 60_000, errorRate: 1 }).inject('/livez');
    expect(statusCode).toBe(200);
  });
});
