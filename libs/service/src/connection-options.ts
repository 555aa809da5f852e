/** Of every connection to PostgreSQL that serves requests. */
export const connectionOptions = {
  // Longer than a new pod starves its neighbours for CPU, shorter than callers commonly wait.
  connectionTimeoutMillis: 8000,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
};
