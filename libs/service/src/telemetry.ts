import { setTimeout as sleep } from 'node:timers/promises';

/** How long shutdown waits for a collector that does not answer, in milliseconds. */
const FLUSH_LIMIT = 3000;

/**
 * Starts OpenTelemetry when OTEL_EXPORTER_OTLP_ENDPOINT is set; the other OTEL_* variables work as specified.
 * Must run before the app's modules are imported: instrumentation wraps http and pg while they load.
 * Returns a function that flushes and stops it.
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export async function startTelemetry(service: string): Promise<() => Promise<void>> {
  if (!process.env['OTEL_EXPORTER_OTLP_ENDPOINT']) return async () => undefined;
  process.env['OTEL_SERVICE_NAME'] ??= service;
  const [{ NodeSDK }, { HttpInstrumentation }, { PgInstrumentation }] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/instrumentation-http'),
    import('@opentelemetry/instrumentation-pg'),
  ]);
  const probes = new Set(['/livez', '/readyz', '/startupz', '/metrics']);
  const sdk = new NodeSDK({
    instrumentations: [
      new HttpInstrumentation({ ignoreIncomingRequestHook: (request) => probes.has(request.url ?? '') }),
      new PgInstrumentation({ requireParentSpan: true }),
    ],
  });
  sdk.start();
  return () => Promise.race([sdk.shutdown(), sleep(FLUSH_LIMIT)]);
}
