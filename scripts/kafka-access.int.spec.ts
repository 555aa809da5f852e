import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { register } from 'prom-client';
import { DataSource } from 'typeorm';
import { authValidate, userErased } from '#libs/contracts';
import { KafkaRequester, Outbox, TopicNames } from '#libs/messaging';
import { createKafka, protocolError } from '../libs/messaging/src/kafka/kafka.js';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ConfigResourceTypes,
  ResourcePatternTypes,
} from '../libs/messaging/src/kafka/kafkajs.js';
import {
  freePort,
  scratchDirectory,
  sendJson,
  startApp,
  startMailbox,
  type TestApp,
  type TestMailbox,
  waitFor,
} from '#libs/testing';
import { startKafka } from '#local/servers/kafka.js';
import type { ServerProcess } from '#local/supervise/processes.js';
import { notifications } from '../apps/notifications/src/service.js';
import { todos } from '../apps/todos/src/service.js';
import { users } from '../apps/users/src/service.js';

interface User {
  name: string;
  acls: object[];
}

// What the chart renders, as check-chart.mjs verifies.
const rendered = JSON.parse(readFileSync('scripts/chart-checks/kafka-access.json', 'utf8')) as {
  properties: string;
  users: User[];
};
const logins = rendered.users;
const lines = rendered.properties.split('\n').filter((line) => /^[^#]/.test(line));
const properties = Object.fromEntries(lines.map((line) => line.split(/=(.*)/))) as Record<string, string>;
const { TOPIC } = ConfigResourceTypes;
const PASSWORD = 'correct horse battery';

describe('a Kafka with the rights that the chart gives', () => {
  const directory = scratchDirectory('access');
  const passwords = join(directory, 'passwords');
  const usersFile = join(directory, 'users.json');
  let broker: ServerProcess;
  let brokers: string;
  let inside: Admin;
  let access: ChildProcess;
  let mailbox: TestMailbox;
  const apps: Record<string, TestApp> = {};

  const admit = (all: User[]) => writeFileSync(usersFile, JSON.stringify(all));
  const login = (name: string) => ({
    KAFKA_BROKERS: brokers,
    KAFKA_USERNAME: name,
    KAFKA_PASSWORD: `the password of ${name}`,
    TOPIC_PREFIX: 'tasklane',
  });
  /** A client that gives up at once. */
  const client = (name?: string) =>
    new Kafka({
      brokers: [brokers],
      logLevel: logLevel.NOTHING,
      retry: { retries: 2, initialRetryTime: 50 },
      ...(name && { sasl: { mechanism: 'scram-sha-512', username: name, password: `the password of ${name}` } }),
    });
  const withAdmin = async <T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> => {
    const admin = kafka.admin();
    try {
      await admin.connect();
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  };
  const api = (service: string, method: string, path: string, body?: unknown, token?: string) =>
    sendJson(method, `${apps[service]!.url}/api/v1${path}`, { body, token });
  const sql = (service: string, text: string) =>
    apps[service]!.app.get(DataSource).query<Record<string, unknown>[]>(text);
  /** Registers somebody, who has a welcome mail once notifications has heard of it. */
  const newPerson = async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    const person = { email, password: PASSWORD, firstName: 'Ada', lastName: 'Lovelace' };
    const { status, body } = await api('users', 'POST', '/users', person);
    expect(status).toBe(201);
    return { id: (body as { id: string }).id, email };
  };

  beforeAll(async () => {
    const [port, controllerPort, clientPort, adminPort] = await Promise.all([
      freePort(),
      freePort(),
      freePort(),
      freePort(),
    ]);
    brokers = `127.0.0.1:${clientPort}`;
    process.env.ADMIN_PASSWORD = 'the password of admin';
    const data = join(directory, 'data');
    ({ process: broker } = await startKafka({
      data,
      port,
      controllerPort,
      log: join(directory, 'kafka.log'),
      settings: {
        ...properties,
        'log.dirs': data,
        'controller.quorum.voters': `1@localhost:${controllerPort}`,
        listeners: `CLIENT://127.0.0.1:${clientPort},ADMIN://127.0.0.1:${adminPort},BROKER://127.0.0.1:${port},CONTROLLER://localhost:${controllerPort}`,
        'advertised.listeners': `CLIENT://127.0.0.1:${clientPort},ADMIN://127.0.0.1:${adminPort},BROKER://127.0.0.1:${port}`,
      },
    }));
    inside = new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING }).admin();
    await inside.connect();

    mkdirSync(passwords);
    for (const { name } of logins) writeFileSync(join(passwords, `${name}-password`), `the password of ${name}`);
    admit(logins);
    access = spawn(process.execPath, ['dist/libs/messaging/src/access/access.cli.js', usersFile, passwords], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        KAFKA_BROKERS: `127.0.0.1:${adminPort}`,
        KAFKA_USERNAME: 'admin',
        KAFKA_PASSWORD: 'the password of admin',
        KAFKA_SASL_MECHANISM: 'plain',
      },
    });

    mailbox = await startMailbox();
    const grpcPort = await freePort();
    const quick = { EVENT_RETRY_DELAYS: '100ms,100ms', EVENT_STUCK_AFTER: '4s' };
    apps.users = await startApp(users, {
      ...login('users'),
      ...quick,
      TOKEN_SECRET: crypto.randomUUID(),
      GRPC_PORT: String(grpcPort),
    });
    const jwks = { JWKS_URL: `${apps.users.url}/.well-known/jwks.json` };
    [apps.todos, apps.notifications] = await Promise.all([
      startApp(todos, {
        ...login('todos'),
        ...quick,
        ...jwks,
        USERS_GRPC_URL: `127.0.0.1:${grpcPort}`,
        NOTIFICATIONS_URL: 'http://127.0.0.1:1',
      }),
      startApp(notifications, { ...login('notifications'), ...quick, ...jwks, SMTP_URL: mailbox.smtpUrl }),
    ]);
  }, 120_000);

  afterAll(async () => {
    await Promise.all(Object.values(apps).map((app) => app.close()));
    await mailbox.stop();
    access.kill('SIGKILL');
    await inside.disconnect();
    await broker.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  it('each service publishes, hears what it handles, and hears of sessions that end', async () => {
    const { id, email } = await newPerson();
    await mailbox.client.waitForMail(email, { timeout: 60_000 });
    await waitFor(async () => (await sql('todos', `SELECT FROM people WHERE id = '${id}'`)).length === 1);
    const { body } = await api('users', 'POST', '/auth/login', { email, password: PASSWORD });
    const { accessToken: token, refreshToken } = body as { accessToken: string; refreshToken: string };
    expect((await api('todos', 'POST', '/lists', { name: 'Groceries' }, token)).status).toBe(201);
    await waitFor(async () => (await sql('todos', 'SELECT FROM outbox')).length === 0, {
      what: 'the event of the list',
    });
    await api('users', 'POST', '/auth/logout', { refreshToken }, token);
    await waitFor(async () => (await api('todos', 'GET', '/lists', undefined, token)).status === 401);
  });

  it('topics get the settings that their publisher wants', async () => {
    const { resources } = await inside.describeConfigs({
      includeSynonyms: false,
      resources: ['users', 'sessions', 'accounts', 'todos'].map((name) => ({ type: TOPIC, name: `tasklane.${name}` })),
    });
    for (const { configEntries } of resources)
      expect(configEntries).toContainEqual(
        expect.objectContaining({ configName: 'message.timestamp.before.max.ms', configValue: '5000' }),
      );
  });

  it('what fails goes to the retry topics, to the dead letters and back', async () => {
    await sql('notifications', 'ALTER TABLE deliveries RENAME TO elsewhere');
    const { email } = await newPerson();
    const dead = async () =>
      (await inside.fetchTopicOffsets('tasklane.notifications.dead')).some(({ high, low }) => high !== low);
    await waitFor(dead, { timeout: 30_000, what: 'a dead letter' });
    await sql('notifications', 'ALTER TABLE elsewhere RENAME TO deliveries');
    const redrive = 'dist/libs/messaging/src/redrive/redrive.cli.js';
    const env = { ...process.env, ...login('notifications') };
    const { stdout } = await promisify(execFile)(process.execPath, [redrive, '--group', 'notifications'], { env });
    expect(stdout).toContain('1 dead letter sent back to notifications');
    await mailbox.client.waitForMail(email, { timeout: 30_000 });
  });

  it('the lag of each group is measured', async () => {
    const measured = async () => {
      const text = await register.getSingleMetricAsString('tasklane_consumer_lag');
      return [
        'tasklane.accounts',
        'tasklane.notifications.retry-1',
        'tasklane.todos.retry-1',
        'auth.validate.request',
      ].every((topic) => text.includes(`"${topic}"`));
    };
    await waitFor(measured, { timeout: 15_000, what: 'the lag of all topics' });
  });

  it('a caller asks over Kafka and is answered', async () => {
    const { email } = await newPerson();
    const { body } = await api('users', 'POST', '/auth/login', { email, password: PASSWORD });
    const requester = new KafkaRequester(
      { TOPIC_PARTITIONS: 1 },
      createKafka(
        {
          ...login('billing'),
          KAFKA_BROKERS: [brokers],
          KAFKA_TLS: false,
          KAFKA_CA_FILE_PATH: undefined,
          KAFKA_SASL_MECHANISM: 'scram-sha-512',
        },
        'billing',
      ),
      new TopicNames('tasklane', 'billing', 0),
    );
    const { accessToken: token } = body as { accessToken: string };
    expect(await requester.request(authValidate, { token }, { timeout: 30_000 })).toMatchObject({ active: true });
    await requester.onApplicationShutdown();
  });

  describe('refuses', () => {
    const codeOf = (work: Promise<unknown>) => work.then(() => 'allowed', protocolError);
    const send = async (name: string, topic: string) => {
      const producer = client(name).producer();
      await producer.connect();
      try {
        await producer.send({ topic, messages: [{ key: 'a', value: null }] });
      } finally {
        await producer.disconnect();
      }
    };
    const read = async (name: string, topic: string, groupId: string) => {
      const consumer = client(name).consumer({
        groupId,
        allowAutoTopicCreation: false,
        retry: { retries: 0, restartOnFailure: async () => false },
      });
      try {
        await consumer.connect();
        const crash = new Promise<never>((_, reject) =>
          consumer.on('consumer.crash', ({ payload }) => reject(payload.error)),
        );
        crash.catch(() => undefined);
        const joined = new Promise((resolve) => consumer.on('consumer.fetch', resolve));
        await consumer.subscribe({ topic, fromBeginning: true });
        await consumer.run({ eachMessage: async () => undefined });
        await Promise.race([joined, crash]);
      } finally {
        await consumer.disconnect();
      }
    };

    it.each([
      ['todos', 'tasklane.users'],
      ['todos', 'tasklane.sessions'],
      ['notifications', 'tasklane.accounts'],
      ['users', 'tasklane.todos'],
      ['todos', 'tasklane.notifications.retry-1'],
      ['todos', 'auth.validate.request'],
      ['billing', 'tasklane.users'],
      ['keda', 'tasklane.users'],
    ])('what %s writes to %s', async (name, topic) => {
      expect(await codeOf(send(name, topic))).toBe('TOPIC_AUTHORIZATION_FAILED');
    });

    it.each([
      ['todos', 'tasklane.accounts', 'tasklane.todos'],
      ['todos', 'tasklane.notifications.dead', 'tasklane.todos'],
      ['notifications', 'tasklane.todos', 'tasklane.notifications'],
      ['billing', 'auth.validate.request', 'tasklane.billing'],
    ])('to let %s read %s', async (name, topic, group) => {
      expect(await codeOf(read(name, topic, group))).toBe('TOPIC_AUTHORIZATION_FAILED');
    });

    it('to let anybody join a group that is not theirs', async () => {
      expect(await codeOf(read('keda', 'tasklane.users', 'tasklane.keda'))).toBe('GROUP_AUTHORIZATION_FAILED');
      // kafkajs has another word for a group that may not even be described.
      await expect(read('todos', 'tasklane.users', 'tasklane.notifications')).rejects.toThrow('find group coordinator');
    });

    it('who does not log in, or with a wrong password', async () => {
      await expect(withAdmin(client(), (admin) => admin.listTopics())).rejects.toThrow();
      const wrong = new Kafka({
        brokers: [brokers],
        logLevel: logLevel.NOTHING,
        retry: { retries: 0 },
        sasl: { mechanism: 'scram-sha-512', username: 'users', password: 'x' },
      });
      await expect(withAdmin(wrong, (admin) => admin.listTopics())).rejects.toThrow(/invalid credentials/i);
    });

    it('to delete or change topics, or to give rights', async () => {
      const may = (work: (admin: Admin) => Promise<unknown>) => codeOf(withAdmin(client('users'), work));
      expect(await may((admin) => admin.deleteTopics({ topics: ['tasklane.users'] }))).toBe(
        'TOPIC_AUTHORIZATION_FAILED',
      );
      const configEntries = [{ name: 'retention.ms', value: '1' }];
      const change = { validateOnly: false, resources: [{ type: TOPIC, name: 'tasklane.users', configEntries }] };
      expect(await may((admin) => admin.alterConfigs(change))).toBe('TOPIC_AUTHORIZATION_FAILED');
      const everything = {
        resourceType: AclResourceTypes.TOPIC,
        resourceName: '*',
        resourcePatternType: ResourcePatternTypes.LITERAL,
        operation: AclOperationTypes.ALL,
        permissionType: AclPermissionTypes.ALLOW,
      };
      const acl = [{ ...everything, principal: 'User:users', host: '*' }];
      expect(await may((admin) => admin.createAcls({ acl }))).toBe('CLUSTER_AUTHORIZATION_FAILED');
    });

    it('a forged erasure in the outbox of another service, and says so in one sentence', async () => {
      const error = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
      const { app } = apps.todos!;
      const forged = crypto.randomUUID();
      await app.get(DataSource).transaction((tx) => app.get(Outbox).add(tx, userErased, forged, null));
      const said = () =>
        error.mock.calls.some(
          ([line]) =>
            line ===
            'topic tasklane.users rejects messages, they stay in the outbox: the login at Kafka (KAFKA_USERNAME) may not write it',
        );
      await waitFor(said, { timeout: 20_000, what: 'the sentence' });
      error.mockRestore();
      await sql('todos', `DELETE FROM outbox WHERE key = '${forged}'`);
    });
  });

  it('KEDA sees how far a group has read', async () => {
    const offsets = await withAdmin(client('keda'), (admin) =>
      admin.fetchOffsets({ groupId: 'tasklane.notifications', topics: ['tasklane.accounts'] }),
    );
    expect(offsets[0]!.partitions.some(({ offset }) => offset !== '-1')).toBe(true);
    await withAdmin(client('keda'), (admin) => admin.fetchTopicOffsets('tasklane.accounts'));
  });

  it('who is no longer declared loses login and rights; the others keep theirs', async () => {
    admit(logins.filter(({ name }) => name !== 'billing'));
    const out = () =>
      withAdmin(client('billing'), (admin) => admin.listTopics()).then(
        () => false,
        (error: Error) => /invalid credentials/i.test(error.message),
      );
    await waitFor(out, { timeout: 30_000, what: 'the end of billing' });
    const { resources } = await inside.describeAcls({
      resourceType: AclResourceTypes.ANY,
      resourcePatternType: ResourcePatternTypes.ANY,
      operation: AclOperationTypes.ANY,
      permissionType: AclPermissionTypes.ANY,
    });
    const principals = new Set(resources.flatMap(({ acls }) => acls.map(({ principal }) => principal)));
    expect([...principals].toSorted()).toEqual(['User:keda', 'User:notifications', 'User:todos', 'User:users']);
    const { email } = await newPerson();
    await mailbox.client.waitForMail(email, { timeout: 30_000 });
  });
});
