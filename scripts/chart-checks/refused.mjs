import { report, template } from './support.mjs';

// Each of these must fail the installation with a message that names the value.
const refused = [
  ['services.users.replicaCont=3', "'replicaCont' not allowed"],
  ['users.replicaCount=3', "'users' not allowed"],
  ['fullnameOverride=1st', '/fullnameOverride'],
  ['nameOverride=task.lane', '/nameOverride'],
  ['services.users.replicaCount=many', '/services/users/replicaCount'],
  ['services.users.config.LOG_LEVEL=loud', '/services/users/config/LOG_LEVEL'],
  ['services.users.config.LIST_NAME_MAX=30', "'LIST_NAME_MAX' not allowed"],
  ['services.users.config.HASH_CONCURRENCY=0', '/services/users/config/HASH_CONCURRENCY'],
  ['services.todos.resources.limits.memory=1Go', '/services/todos/resources/limits/memory'],
  ['services.todos.routes={lists}', '/services/todos/routes/0'],
  ['services.todos.secrets.token=a', "'token' does not match"],
  ['services.Audit.grpc=true', "'Audit'"],
  ['services.kafka.grpc=true', "'kafka'"],
  ['services.audit.routes={/api/v1/audit}', 'services.audit.image.repository is empty'],
  ['services.audit.image.repository=a/audit', 'services.audit.routes is missing'],
  [
    'services.audit.image.repository=a/audit,services.audit.routes={/api/v1/audit,/api/v1/lists}',
    'services.audit.routes and services.todos.routes both have /api/v1/lists',
  ],
  ['services.todos.calls={user}', 'services.todos.calls has user, but there is no services.user'],
  ['services.users=null', 'services.*.issuesTokens is true for none'],
  ['services.users.issuesTokens=false', 'services.*.issuesTokens is true for none'],
  ['services.todos.issuesTokens=true', 'services.*.issuesTokens is true for todos and users'],
  ['services.todos.existingSecret=a', 'services.todos.existingSecret is set, but services.todos.secrets is empty'],
  [
    'defaults.serviceAccount.name=a',
    'services.notifications.serviceAccount.name and services.todos.serviceAccount.name are both a',
  ],
  ['postgresql.mode=mysql', '/postgresql/mode'],
  ['smtp.external.url=mail.example.com', '/smtp/external/url'],
  ['postgresql.mode=external', 'postgresql.mode is external, but postgresql.external.urls.'],
  ['postgresql.external.urls.users=postgres://u:p@h/d', 'but postgresql.mode is embedded'],
  ['postgresql.external.urls.user=postgres://u:p@h/d', 'but there is no services.user'],
  ['postgresql.external.existingSecret=a', 'but postgresql.mode is embedded'],
  [
    'postgresql.mode=cloudnativepg,postgresql.cloudnativepg.synchronousReplicas=3',
    'postgresql.cloudnativepg.synchronousReplicas (3) is not less than instances (3)',
  ],
  ['kafka.mode=external', 'kafka.external.brokers is empty'],
  ['kafka.external.brokers=a:9092', 'but kafka.mode is embedded'],
  ['kafka.external.tls=true', 'kafka.external.tls is set, but kafka.mode is embedded'],
  ['kafka.external.sasl.mechanism=plain', 'kafka.external.sasl.mechanism is set, but kafka.mode is embedded'],
  ['kafka.external.caSecret.name=a', 'kafka.external.caSecret.name is set, but kafka.mode is embedded'],
  ['postgresql.external.caSecret.name=a', 'postgresql.external.caSecret.name is set, but postgresql.mode is embedded'],
  ['kafka.authorization.callers={todos}', 'kafka.authorization.callers has todos, which is a service'],
  ['kafka.authorization.callers={admin}', '/kafka/authorization/callers/0'],
  [
    'kafka.embedded.existingSecret=a,kafka.authorization.enabled=false',
    'kafka.embedded.existingSecret is set, but kafka.mode is embedded and kafka.authorization.enabled is false',
  ],
  [
    'kafka.external.sasl.existingSecrets.user=a',
    'kafka.external.sasl.existingSecrets.user is set, but there is no services.user',
  ],
  ['services.todos.topics.reads={users}', "'reads' not allowed"],
  ['services.keda.grpc=true', "'keda'"],
  ['tls.existingSecrets.users=a', 'tls.existingSecrets.users is set, but tls.source is generated'],
  ['tls.existingSecrets.user=a', 'tls.existingSecrets.user is set, but there is no such part'],
  ['tls.certManager.issuerRef.name=a', 'tls.certManager.issuerRef.name is set, but tls.source is generated'],
  [
    'ingress.tls.certManager.issuerRef.name=a',
    'ingress.tls.certManager.issuerRef.name is set, but ingress.tls.source is secret',
  ],
  [
    'services.users.preStopSleepSeconds=40',
    'services.users.terminationGracePeriodSeconds (45) is not more than preStopSleepSeconds (40)',
  ],
  [
    'services.users.preStopSleepSeconds=16',
    'services.users.probes.liveness.terminationGracePeriodSeconds (20) is not more than preStopSleepSeconds (16)',
  ],
  ['services.todos.config.DRAIN_DELAY=1m', 'services.todos.terminationGracePeriodSeconds (45) is not more than'],
  ['smtp.mode=external', 'smtp.external.url is empty'],
  ['smtp.external.url=smtp://mail.example.com', 'but smtp.mode is embedded'],
  ['tls.enabled=true,tls.source=secret', 'tls.existingSecrets.'],
  ['ingress.tls.enabled=true', 'ingress.tls.secretName is empty'],
  [
    'tests.networkPolicy=true,networkPolicy.enabled=false',
    'tests.networkPolicy is true, but networkPolicy.enabled is false',
  ],
  ['loadGenerator.enabled=true', 'loadGenerator.url is empty'],
  ['httpRoute.enabled=true', 'httpRoute.parentRefs is empty'],
  [
    'defaults.autoscaling.maxReplicas=12',
    'postgresql.embedded.parameters.max_connections (400) leaves fewer than the 432 connections',
  ],
  ['services.todos.config.DATABASE_POOL_SIZE=40', 'leaves fewer than the 444 connections'],
  [
    'services.users.autoscaling.minReplicas=9',
    'services.users.autoscaling.minReplicas (9) is greater than maxReplicas (6)',
  ],
];
for (const [value, sentence] of refused) {
  const { ok, output } = template('--set', value);
  report(`${value} is refused`, !ok && output.includes(sentence), `expected: ${sentence}\n${output}`);
}
