export { freePort } from '#local/supervise/ports.js';
export { startApp, type TestApp } from './app.js';
export { hasOpenssl, type SecretFiles, SecretVolume, TestAuthority } from './certificates.js';
export { createDatabase, query } from './database.js';
export { FakeClock } from './fake-clock.js';
export {
  MailboxClient,
  type MailFault,
  type MailMessage,
  type MailSummary,
  startMailbox,
  type TestMailbox,
} from './mailbox.js';
export { eventHeaders, KafkaClient, type TopicMessage } from './kafka-client.js';
export { testKafka } from './kafka.js';
export { secretsIn, systemDirectory } from './log-reporter.js';
export { scratchDirectory } from './scratch.js';
export { type OwnKafka, ownKafka, type OwnPostgres, ownPostgres, type OwnServer } from './servers.js';
export { startTokenIssuer, type TokenIssuer } from './token-issuer.js';
export { type JsonAnswer, sendJson } from './send-json.js';
export { waitFor } from './wait-for.js';
export { type Direction, Wire } from './wire.js';
