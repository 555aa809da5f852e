import { withAdmin } from '../kafka/admin.js';
import {
  type AclEntry,
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  type Kafka,
  ResourcePatternTypes,
} from '../kafka/kafkajs.js';
import { changeScramUsers, scramUsers } from './scram.js';

/** What a user may do, in the form of Strimzi's KafkaUser. */
export interface Rule {
  resource: { type: 'topic' | 'group'; name: string; patternType: 'literal' | 'prefix' };
  operations: (keyof typeof OPERATIONS)[];
}

export interface AccessUser {
  name: string;
  password: string;
  acls: Rule[];
}

const OPERATIONS = {
  Create: AclOperationTypes.CREATE,
  Delete: AclOperationTypes.DELETE,
  Describe: AclOperationTypes.DESCRIBE,
  DescribeConfigs: AclOperationTypes.DESCRIBE_CONFIGS,
  Read: AclOperationTypes.READ,
  Write: AclOperationTypes.WRITE,
} as const;

/** Makes a broker's users and their rights what they should be; it has no others afterwards. */
export class Access {
  /** Passwords are not readable, so those of before are not known until they were set once. */
  private readonly passwords = new Map<string, string>();

  /**
   * @param kafka logs in as a superuser.
   * @returns what was changed, in words; nothing when all was right. @throws what Kafka refused.
   */
  async apply(kafka: Kafka, users: AccessUser[]): Promise<string[]> {
    return [...(await this.applyRules(kafka, users)), ...(await this.applyPasswords(kafka, users))];
  }

  private applyRules(kafka: Kafka, users: AccessUser[]): Promise<string[]> {
    return withAdmin(kafka, 1, async (admin) => {
      const { resources } = await admin.describeAcls(ANY);
      const present = resources.flatMap(({ acls, ...resource }) =>
        acls.map((acl): AclEntry => ({ ...resource, ...acl })),
      );
      const wanted = users.flatMap(entriesOf);
      const known = new Set(present.map(keyOf));
      const kept = new Set(wanted.map(keyOf));
      const missing = wanted.filter((entry) => !known.has(keyOf(entry)));
      const extra = present.filter((entry) => !kept.has(keyOf(entry)));
      if (missing.length > 0) await admin.createAcls({ acl: missing });
      if (extra.length > 0) await admin.deleteAcls({ filters: extra });
      return said(['granted', missing], ['took away', extra]).map((words) => `${words} rights`);
    });
  }

  private async applyPasswords(kafka: Kafka, users: AccessUser[]): Promise<string[]> {
    const present = await scramUsers(kafka);
    const set = users.filter(({ name, password }) => !present.includes(name) || this.passwords.get(name) !== password);
    const removed = present.filter((name) => !users.some((user) => user.name === name));
    const passwords = new Map(set.map(({ name, password }) => [name, password]));
    await changeScramUsers(kafka, passwords, removed);
    for (const [name, password] of passwords) this.passwords.set(name, password);
    return said(['set the passwords of', [...passwords.keys()]], ['removed', removed]).map((words) => `${words} users`);
  }
}

const ANY = {
  resourceType: AclResourceTypes.ANY,
  resourcePatternType: ResourcePatternTypes.ANY,
  operation: AclOperationTypes.ANY,
  permissionType: AclPermissionTypes.ANY,
};

function entriesOf({ name, acls }: AccessUser): AclEntry[] {
  return acls.flatMap(({ resource, operations }) =>
    operations.map((operation) => ({
      resourceType: resource.type === 'topic' ? AclResourceTypes.TOPIC : AclResourceTypes.GROUP,
      resourceName: resource.name,
      resourcePatternType:
        resource.patternType === 'prefix' ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
      principal: `User:${name}`,
      host: '*',
      operation: OPERATIONS[operation],
      permissionType: AclPermissionTypes.ALLOW,
    })),
  );
}

const keyOf = (entry: AclEntry): string =>
  [
    entry.principal,
    entry.resourceType,
    entry.resourcePatternType,
    entry.resourceName,
    entry.operation,
    entry.permissionType,
    entry.host,
  ].join(' ');

const said = (...changes: [string, unknown[]][]): string[] =>
  changes.filter(([, { length }]) => length > 0).map(([verb, { length }]) => `${verb} ${length}`);
